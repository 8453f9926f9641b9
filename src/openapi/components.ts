import type { HeaderObject, HeadersObject, ReferenceObject } from 'openapi3-ts/oas31';

/** Returns a reference to one of the document's components. */
export function reference(kind: 'schemas' | 'parameters' | 'headers' | 'examples', name: string): ReferenceObject {
  return { $ref: `#/components/${kind}/${name}` };
}

/** `components.headers`. A response that names a `required` header always has it. */
export const commonHeaders: Record<string, HeaderObject> = {
  'x-request-id': {
    description: 'The id of this request, which is also in the log',
    required: true,
    schema: { type: 'string', minLength: 1 },
    example: '3f0c1f0a-6a0b-4a43-9f0e-0d6a7c1b2e55',
  },
  'x-content-type-options': {
    description: 'Browsers must not guess another type',
    required: true,
    schema: { const: 'nosniff' },
  },
  'cache-control': { description: 'No cache may store the response', required: true, schema: { const: 'no-store' } },
  'server-timing': {
    description:
      'Milliseconds for reading the body, getting a token, waiting for the model, and in total. Stages that ' +
      'were not reached are missing.',
    required: true,
    schema: { type: 'string', pattern: '^((read|token|model);dur=[\\d.]+, )*total;dur=[\\d.]+$' },
    example: 'read;dur=4.1, token;dur=0.1, model;dur=812.6, total;dur=817.3',
  },
  'content-security-policy': {
    description: 'The page may load only itself, and send requests only to this app',
    required: true,
    schema: { type: 'string', pattern: "^default-src 'none';" },
    example: "default-src 'none'; connect-src 'self'",
  },
  'x-should-retry': {
    description: "Tells OpenAI's SDKs not to retry, because the app has already retried what can succeed later",
    schema: { const: 'false' },
    example: 'false',
  },
  location: {
    description: 'The path of the job, at which to ask for its status',
    required: true,
    schema: { type: 'string', pattern: '^/api/jobs/[\\da-f-]{36}$' },
    example: '/api/jobs/3f0c1f0a-6a0b-4a43-9f0e-0d6a7c1b2e55',
  },
  'retry-after': {
    description: 'When to try again: a number of seconds, or a date',
    schema: { type: 'string', minLength: 1 },
    example: '10',
  },
};

/** Returns references to the headers of a response. */
export function headersOf(...names: string[]): HeadersObject {
  return Object.fromEntries(names.map((name) => [name, reference('headers', name)]));
}

/** Names of the headers that every response of every route has. */
export const EVERYWHERE = ['x-request-id', 'x-content-type-options', 'cache-control'] as const;
