import type { OperationObject } from 'openapi3-ts/oas31';
import { EVERYWHERE, headersOf } from '../headers.ts';
import { problemResponses } from '../problem-responses.ts';
import { asProblem } from '../wording.ts';

/** `GET /playground` */
export const playground: OperationObject = {
  operationId: 'playground',
  tags: ['learn'],
  summary: 'A page to drop an image on, ask, and watch the answer stream in',
  security: [],
  responses: {
    '200': {
      description: 'The page, under a policy that lets nothing else in',
      headers: headersOf(...EVERYWHERE, 'server-timing', 'content-security-policy'),
      content: { 'text/html': { schema: { type: 'string' } } },
    },
    ...problemResponses(asProblem, ['internal_error']),
  },
};
