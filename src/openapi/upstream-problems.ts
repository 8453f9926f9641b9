import type { SchemaObject } from 'openapi3-ts/oas31';
import { type ProblemShape, texts, upstream } from './problem-shape.ts';

const categories: SchemaObject = {
  type: 'array',
  items: {
    type: 'object',
    properties: {
      category: { type: 'string' },
      severity: { type: ['string', 'null'], description: 'null for filters that only say yes or no' },
      source: { type: 'string', enum: ['prompt', 'answer'] },
    },
    required: ['category', 'severity', 'source'],
    additionalProperties: false,
  },
  description: 'What was filtered',
  examples: [[{ category: 'violence', severity: 'high', source: 'prompt' }]],
};

/** Problems on the model's side, and of this app on the way there. */
export const upstreamProblems = {
  content_filtered: {
    detail: 'The content filter stopped the image or the instructions. Change them, or the filter of the deployment.',
    members: { categories },
    optional: upstream,
  },
  image_rejected: { detail: 'The model could not use the image: Invalid image data.', optional: upstream },
  answer_incomplete: {
    detail: 'The answer was cut off: raise maxTokens.',
    members: {
      finishReason: { type: 'string', examples: ['length'] },
      answer: { type: 'string', description: 'As far as it came', examples: ['{"boats": 1, "wea'] },
    },
  },
  rate_limited: {
    detail: 'The deployment is at its limit of requests or tokens. Wait as Retry-After says, or raise its capacity.',
    optional: upstream,
    retryAfter: true,
  },
  misconfigured: {
    detail:
      "The app's settings need attention. AZURE_OPENAI_DEPLOYMENT is not set. It is the name you gave the deployment, not the model.",
    members: { settings: texts('Names of settings', 'AZURE_OPENAI_DEPLOYMENT') },
  },
  internal_error: { detail: 'This is a fault of the service. Its log has the reason, under the request id.' },
  deployment_not_found: {
    detail:
      "There is no such deployment at the endpoint (404). Check AZURE_OPENAI_DEPLOYMENT (the deployment's name, not the model's) and " +
      'OPENAI_API_VERSION. A deployment needs up to 5 minutes after it was made, and one of a retired model is gone.',
    optional: upstream,
  },
  upstream_error: {
    detail: "The model's service failed (500, on each of 3 attempts). Try again in a while.",
    optional: upstream,
    retryAfter: true,
  },
  overloaded: { detail: 'The service is working on as much as it can hold. Try again in a moment.', retryAfter: true },
  upstream_timeout: {
    detail: 'The model did not answer in time. Try again, ask for less, or raise REQUEST_TIMEOUT_SECONDS.',
    optional: upstream,
  },
} as const satisfies Record<string, ProblemShape>;
