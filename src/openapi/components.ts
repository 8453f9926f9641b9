import type { HeaderObject, HeadersObject, ReferenceObject } from 'openapi3-ts/oas31';

/** A reference to one of the document's components. */
export function reference(kind: 'schemas' | 'parameters' | 'headers' | 'examples', name: string): ReferenceObject {
  return { $ref: `#/components/${kind}/${name}` };
}

/** `components.headers`. Those that are `required` are on every response that names them. */
export const commonHeaders: Record<string, HeaderObject> = {
  'x-request-id': {
    description: 'The id of this request; the log has it too',
    required: true,
    schema: { type: 'string', minLength: 1 },
    example: '3f0c1f0a-6a0b-4a43-9f0e-0d6a7c1b2e55',
  },
  'x-content-type-options': { description: 'The type is what it says', required: true, schema: { const: 'nosniff' } },
  'cache-control': { description: 'Nothing in between keeps it', required: true, schema: { const: 'no-store' } },
  'server-timing': {
    description:
      'Milliseconds of reading the body, getting a token, the model, and in total; stages that were not reached are missing',
    required: true,
    schema: { type: 'string', pattern: '^((read|token|model);dur=[\\d.]+, )*total;dur=[\\d.]+$' },
    example: 'read;dur=4.1, token;dur=0.1, model;dur=812.6, total;dur=817.3',
  },
  'content-security-policy': {
    description: 'What the page may load and where it may send: itself, and this app',
    required: true,
    schema: { type: 'string', pattern: "^default-src 'none';" },
    example: "default-src 'none'; connect-src 'self'",
  },
  'x-should-retry': {
    description: "Tells OpenAI's SDKs not to ask again: what may pass by itself was retried here already",
    schema: { const: 'false' },
    example: 'false',
  },
  location: {
    description: 'The path at which to ask how the job is',
    required: true,
    schema: { type: 'string', pattern: '^/api/jobs/[\\da-f-]{36}$' },
    example: '/api/jobs/3f0c1f0a-6a0b-4a43-9f0e-0d6a7c1b2e55',
  },
  'retry-after': {
    description: 'When to try again: seconds, or a date',
    schema: { type: 'string', minLength: 1 },
    example: '10',
  },
};

/** References to headers that a response has. */
export function headersOf(...names: string[]): HeadersObject {
  return Object.fromEntries(names.map((name) => [name, reference('headers', name)]));
}

/** On every response of every route. */
export const EVERYWHERE = ['x-request-id', 'x-content-type-options', 'cache-control'] as const;
