import type { AuthLevel } from '../../config/auth-level.ts';
import type { OperationObject, ResponseObject } from 'openapi3-ts/oas31';
import { EVERYWHERE, headersOf } from '../headers.ts';
import { problemResponses } from '../problem-responses.ts';
import { reference } from '../reference.ts';
import { callerRefused } from '../security.ts';
import { asProblem } from '../wording.ts';

/** `GET /health/ready` */
export function ready(authLevel: AuthLevel): OperationObject {
  return {
    operationId: 'ready',
    tags: ['watch'],
    summary: 'Could it answer a question now?',
    description: 'Gets a token and asks the deployment without paying. Kept for some seconds.',
    responses: {
      '200': report('It could'),
      '503': report('It could not: the check that failed says why'),
      ...callerRefused(authLevel, asProblem),
      ...problemResponses(asProblem, ['misconfigured', 'internal_error']),
    },
  };
}

function report(description: string): ResponseObject {
  return {
    description,
    headers: headersOf(...EVERYWHERE, 'server-timing'),
    content: { 'application/json': { schema: reference('schemas', 'Readiness') } },
  };
}
