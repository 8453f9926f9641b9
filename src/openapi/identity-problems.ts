import type { SchemaObject } from 'openapi3-ts/oas31';
import { type ProblemShape, texts, upstream } from './problem-shape.ts';

const ROLE = 'Cognitive Services OpenAI User';

const textOrNull: SchemaObject = { type: ['string', 'null'] };

const attempts: SchemaObject = {
  type: 'array',
  items: {
    type: 'object',
    properties: { credential: { type: 'string' }, said: { type: 'string' } },
    required: ['credential', 'said'],
    additionalProperties: false,
  },
  description: 'What each of them said',
  examples: [[{ credential: 'ManagedIdentityCredential', said: 'no managed identity is switched on here' }]],
};

const identity: SchemaObject = {
  type: 'object',
  properties: { tenant: textOrNull, objectId: textOrNull, audience: textOrNull, expires: textOrNull },
  required: ['tenant', 'objectId', 'audience', 'expires'],
  additionalProperties: false,
  description: 'Who asked, as far as the token says',
};

/** Problems of signing in, and of what the one who signed in may do. */
export const identityProblems = {
  identity_unavailable: {
    detail:
      'The service could not sign in to Azure. ManagedIdentityCredential: no managed identity is switched on here. ' +
      "Next: switch on the app's system-assigned identity (az functionapp identity assign, or az containerapp identity assign --system-assigned).",
    members: { credentials: texts('Which were tried', 'ManagedIdentityCredential'), attempts },
    retryAfter: true,
  },
  model_access_denied: {
    detail:
      "The resource my-resource refused this app's identity (401): it lacks the role. Next: az role assignment create … " +
      `The role that it needs there is '${ROLE}'; a new assignment takes 5 to 10 minutes to apply.`,
    members: {
      reason: {
        type: 'string',
        enum: ['role', 'network', 'tenant', 'token', 'key-disabled', 'gateway', 'resource'],
        examples: ['role'],
      },
      role: { const: ROLE, description: 'The least that it needs', examples: [ROLE] },
      resource: { type: 'string', description: 'The name of the Azure OpenAI resource', examples: ['my-resource'] },
    },
    optional: { ...upstream, identity },
  },
} as const satisfies Record<string, ProblemShape>;
