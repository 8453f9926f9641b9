import type { SchemaObject } from 'openapi3-ts/oas31';

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
