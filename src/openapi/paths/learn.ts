import type { OperationObject } from 'openapi3-ts/oas31';
import { EVERYWHERE, headersOf } from '../components.ts';
import { problemResponses } from '../problem-responses.ts';
import { asProblem } from '../problem-schemas.ts';

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

/** `GET /playground` */
export const playground: OperationObject = {
  operationId: 'playground',
  tags: ['learn'],
  summary: 'A page on which to try the app with your own images',
  security: [],
  responses: {
    '200': {
      description: 'The page. Its Content-Security-Policy blocks everything else.',
      headers: headersOf(...EVERYWHERE, 'server-timing', 'content-security-policy'),
      content: { 'text/html': { schema: { type: 'string' } } },
    },
    ...problemResponses(asProblem, ['internal_error']),
  },
};
