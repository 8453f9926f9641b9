import type { OperationObject } from 'openapi3-ts/oas31';
import { EVERYWHERE, headersOf } from '../headers.ts';

/** `GET /playground` */
export const playground: OperationObject = {
  operationId: 'playground',
  tags: ['learn'],
  summary: 'A page to try it on',
  security: [],
  responses: {
    '200': {
      description: 'The page',
      headers: headersOf(...EVERYWHERE),
      content: { 'text/html': { schema: { type: 'string' } } },
    },
  },
};
