import type { OperationObject, ResponseObject, SchemaObject } from 'openapi3-ts/oas31';
import { version } from '../../config/version.ts';
import { EVERYWHERE, headersOf, reference } from '../components.ts';
import type { AuthLevel } from '../../config/sign-in.ts';
import { problemResponses } from '../problem-responses.ts';
import { callerRefused } from '../security.ts';
import { asProblem } from '../problem-schemas.ts';

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

const check: SchemaObject = {
  type: 'object',
  properties: {
    name: { type: 'string', enum: ['node', 'settings', 'endpoint', 'token', 'storage', 'deployment'] },
    status: { type: 'string', enum: ['ok', 'warn', 'fail', 'skip'] },
    reason: { type: 'string', description: 'A line of plain words' },
    fix: { type: ['string', 'null'], description: 'The step that mends it; null where there is nothing to mend' },
  },
  required: ['name', 'status', 'reason', 'fix'],
  additionalProperties: false,
};

/** Whether a question could be answered now. */
export const readySchemas: Record<string, SchemaObject> = {
  Readiness: {
    type: 'object',
    properties: {
      ok: { type: 'boolean', description: 'Whether no check failed' },
      checks: {
        type: 'array',
        minItems: 1,
        items: check,
        description: 'From the ground up; what stands on a check that failed is skipped',
      },
    },
    required: ['ok', 'checks'],
    additionalProperties: false,
  },
};
