import { type Members, type ProblemCode, problemKind, PROBLEMS, upstream } from '../http/problem-catalogue.ts';
import type { ReferenceObject, SchemaObject } from 'openapi3-ts/oas31';
import { reference } from './components.ts';

/** One of the two formats in which routes send problems. */
export interface ProblemFormat {
  readonly mediaType: string;
  /** The suffix in the names of its schemas and examples. */
  readonly suffix: string;
  /** The codes that may be sent in this format. */
  readonly codes: readonly ProblemCode[];
}

/** Problems of requests that match no route, so no route describes them. */
const UNROUTED = new Set<ProblemCode>(['not_found', 'method_not_allowed']);

/** Problems of the server that checks callers itself. `security.ts` describes them. */
const ABOUT_CALLERS = new Set<ProblemCode>(['unauthenticated', 'caller_not_allowed']);

/** Problems that only the routes of jobs have. */
const ABOUT_JOBS = new Set<ProblemCode>(['job_not_found']);

const ALL = Object.keys(PROBLEMS)
  .filter((key): key is ProblemCode => key in PROBLEMS)
  .filter((code) => !UNROUTED.has(code) && !ABOUT_CALLERS.has(code) && !ABOUT_JOBS.has(code));

/**
 * Problems that OpenAI's routes do not have: they have no instructions, no Accept and no blobs, and leave schemas to
 * the model.
 */
const NOT_IN_CHAT = new Set<ProblemCode>([
  'missing_instructions',
  'not_acceptable',
  'answer_incomplete',
  'blob_not_allowed',
  'blob_not_found',
  'storage_access_denied',
  'storage_error',
]);

/** The format of problem documents: RFC 9457. */
export const asProblem: ProblemFormat = {
  mediaType: 'application/problem+json',
  suffix: 'Problem',
  codes: [...ALL, ...ABOUT_JOBS],
};

/** OpenAI's error format. It includes `not_found`, for a model that does not exist. */
export const asChatError: ProblemFormat = {
  mediaType: 'application/json',
  suffix: 'ChatError',
  codes: [...ALL.filter((code) => !NOT_IN_CHAT.has(code)), 'not_found'],
};

/** Returns the name of a problem's schema and example, such as `CorruptImageProblem`. */
export function nameOf(code: ProblemCode, { suffix }: ProblemFormat): string {
  return code.replaceAll(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase()) + suffix;
}

const REQUEST_ID: SchemaObject = { type: 'string', minLength: 1 };
const DETAIL: SchemaObject = { type: 'string', minLength: 1, description: 'What is wrong, and what to do' };

/** Members that are passed on as the model's service sends them, about a parameter of the client's request. */
const fromService: Members = {
  param: { type: ['string', 'null'], description: 'The parameter that is wrong, if the service names one' },
  code: {
    type: 'string',
    minLength: 1,
    description: "`invalid_request`, or the service's own code, such as `unsupported_parameter`",
  },
};

/**
 * Creates a closed schema for every problem in each of its formats, such as `CorruptImageProblem` and
 * `CorruptImageChatError`.
 */
export function problemSchemas(): Record<string, SchemaObject> {
  return Object.fromEntries([
    ...asProblem.codes.map((code) => [nameOf(code, asProblem), problemSchema(code)] as const),
    ...asChatError.codes.map((code) => [nameOf(code, asChatError), chatErrorSchema(code)] as const),
  ]);
}

/** Creates the schema of one of several problems. `code` tells them apart. */
export function oneOfProblems(codes: readonly ProblemCode[], format: ProblemFormat): SchemaObject | ReferenceObject {
  const references = codes.map((code) => reference('schemas', nameOf(code, format)));
  const [only] = references;
  if (only && references.length === 1) return only;
  // A discriminator must be a member of the object itself. In OpenAI's format, the code is one level deeper.
  if (format === asChatError) return { anyOf: references };
  const mapping = Object.fromEntries(codes.map((code) => [code, reference('schemas', nameOf(code, format)).$ref]));
  return { type: 'object', oneOf: references, discriminator: { propertyName: 'code', mapping } };
}

/** Creates the schema of one problem, for a problem that has no component in the document. */
export function schemaOf(code: ProblemCode, format: ProblemFormat): SchemaObject {
  return format === asChatError ? chatErrorSchema(code) : problemSchema(code);
}

function problemSchema(code: ProblemCode): SchemaObject {
  const { status, title, members, optional } = problemKind(code);
  const own = {
    type: { const: `urn:problem:${code}` },
    title: { const: title },
    status: { const: status },
    detail: DETAIL,
  };
  return closed({ ...own, code: { const: code }, requestId: REQUEST_ID, ...members }, optional);
}

function chatErrorSchema(code: ProblemCode): SchemaObject {
  const { members, optional } = problemKind(code);
  const type: SchemaObject = { type: 'string', enum: ['invalid_request_error', 'rate_limit_error', 'server_error'] };
  const own = { message: DETAIL, type, requestId: REQUEST_ID };
  return code === 'invalid_request'
    ? closed({ error: closed({ ...own, ...fromService, ...members }, { ...optional, ...upstream }) })
    : closed({ error: closed({ ...own, param: { type: 'null' }, code: { const: code }, ...members }, optional) });
}

function closed(required: Members, optional: Members = {}): SchemaObject {
  return {
    type: 'object',
    properties: { ...required, ...optional },
    required: Object.keys(required),
    additionalProperties: false,
  };
}
