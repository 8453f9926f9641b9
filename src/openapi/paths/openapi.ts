import type { OperationObject } from 'openapi3-ts/oas31';
import { EVERYWHERE, headersOf } from '../headers.ts';
import { problemResponses } from '../problem-responses.ts';
import { asProblem } from '../wording.ts';

/** `GET /openapi.json` */
export const openApi: OperationObject = {
  operationId: 'openapi',
  tags: ['learn'],
  summary: 'This document',
  security: [],
  responses: {
    '200': {
      description: 'OpenAPI 3.1',
      headers: headersOf(...EVERYWHERE, 'server-timing'),
      content: {
        'application/json': {
          schema: {
            type: 'object',
            properties: {
              openapi: { type: 'string', pattern: '^3\\.1\\.' },
              info: { type: 'object' },
              paths: { type: 'object' },
            },
            required: ['openapi', 'info', 'paths'],
          },
        },
      },
    },
    ...problemResponses(asProblem, ['internal_error']),
  },
};
