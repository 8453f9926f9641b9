import type { OperationObject } from 'openapi3-ts/oas31';
import { version } from '../../config/version.ts';
import { EVERYWHERE, headersOf } from '../headers.ts';

/** `GET /health` */
export const health: OperationObject = {
  operationId: 'health',
  tags: ['watch'],
  summary: 'Is it alive?',
  description: 'Touches nothing outside the process.',
  security: [],
  responses: {
    '200': {
      description: 'It is',
      headers: headersOf(...EVERYWHERE, 'server-timing'),
      content: {
        'application/json': {
          schema: {
            type: 'object',
            properties: { status: { const: 'ok' }, version: { type: 'string', pattern: '^\\d+\\.\\d+\\.\\d+' } },
            required: ['status', 'version'],
            additionalProperties: false,
          },
          example: { status: 'ok', version },
        },
      },
    },
  },
};
