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
  summary: 'Is the app alive?',
  description: 'Uses nothing outside the process.',
  security: [],
  responses: {
    '200': {
      description: 'The app is alive',
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
    summary: 'Can the app answer a question now?',
    description:
      'Gets a token and checks the deployment and the storage, at no cost. The report is kept for 5 seconds.',
    responses: {
      '200': report('It can'),
      '503': report('It cannot. The check that failed says why.'),
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
    reason: { type: 'string', description: 'What the check found' },
    fix: { type: ['string', 'null'], description: 'How to fix it. Null if there is nothing to fix.' },
  },
  required: ['name', 'status', 'reason', 'fix'],
  additionalProperties: false,
};

/** The schema of the readiness report. */
export const readySchemas: Record<string, SchemaObject> = {
  Readiness: {
    type: 'object',
    properties: {
      ok: { type: 'boolean', description: 'True if no check failed' },
      checks: {
        type: 'array',
        minItems: 1,
        items: check,
        description:
          'Each check depends on those before it. After a failed check, the checks that depend on it are skipped.',
      },
    },
    required: ['ok', 'checks'],
    additionalProperties: false,
  },
};
