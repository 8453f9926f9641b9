import type { APIError } from 'openai';
import { isRecord } from '../config/json-object.ts';

/** What a failed response of the model's service says, in whatever shape it came. Missing texts are empty. */
export interface UpstreamError {
  /** The HTTP status. For an error event inside a stream, the status that the same error would have as a response. */
  readonly status: number | undefined;
  readonly code: string;
  readonly type: string;
  /** The invalid parameter. */
  readonly param: string | null;
  readonly message: string;
  /** The form of the body. Azure nests its errors. Gateways send flat objects, pages, or nothing. */
  readonly body: 'error' | 'flat' | 'page' | 'none';
}

/** The status that belongs to a code or type, for errors that come as events. */
const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  authentication_error: 401,
  permission_error: 403,
  permissiondenied: 403,
  not_found_error: 404,
  deploymentnotfound: 404,
  timeout: 408,
  timeout_error: 408,
  request_timeout: 408,
  requesttimeout: 408,
  gateway_timeout: 504,
  too_many_requests: 429,
  toomanyrequests: 429,
  rate_limit_error: 429,
  rate_limit_exceeded: 429,
  ratelimitreached: 429,
  insufficient_quota: 429,
  quotaexceeded: 429,
  tokens: 429,
  requests: 429,
  server_error: 500,
  api_error: 500,
  internal_error: 500,
  internal_server_error: 500,
  internalservererror: 500,
  overloaded: 503,
  overloaded_error: 503,
  engine_overloaded: 503,
  server_is_overloaded: 503,
  server_overloaded: 503,
  service_unavailable: 503,
  serviceunavailable: 503,
  service_unavailable_error: 503,
  slow_down: 503,
  invalid_request_error: 400,
  badrequest: 400,
};

/** The status by words of the message, for errors with an unknown code. */
const STATUS_OF_WORDS: readonly (readonly [words: RegExp, status: number])[] = [
  [/rate limit|too many requests|quota/i, 429],
  [/overloaded|at capacity|temporarily unavailable/i, 503],
  [/timed? ?out|operation was timeout/i, 408],
  [/server had an error|internal (?:server )?error/i, 500],
];

/** Reads an error of the SDK, which has the status and the body of the failed response. */
export function readUpstreamError(error: APIError): UpstreamError {
  const body: unknown = error.error;
  const said = isRecord(body) ? body : undefined;
  const code = textOf(said?.['code']);
  const type = textOf(said?.['type']);
  const message = textOf(said?.['message']);
  return {
    status: error.status ?? (said && statusOf(code, type, message)),
    code,
    type,
    param: textOf(said?.['param']) || null,
    message,
    body: said ? ('statusCode' in said ? 'flat' : 'error') : /\(?no body\)?$/.test(error.message) ? 'none' : 'page',
  };
}

/**
 * Finds the error in a body of any shape, and returns it as the inner object of Azure's shape,
 * `{"error": {"code", "message"}}`, because the SDK reads no other. Gateways send a string as `error`, or code and
 * message at the top level. Returns undefined if there is no error.
 */
export function errorObjectOf(body: unknown): object | undefined {
  const [first] = Array.isArray(body) ? body : [body];
  if (!isRecord(first)) return undefined;
  const { error } = first;
  if (isRecord(error)) return error;
  const message = [error, first['message'], first['Message'], first['detail'], first['title']].find(
    (each) => typeof each === 'string',
  );
  return message === undefined ? undefined : { ...first, message };
}

function statusOf(code: string, type: string, message: string): number {
  for (const name of [code, type]) {
    const status = /^[45]\d\d$/.test(name) ? Number(name) : STATUS_OF_CODE[name.toLowerCase()];
    // OpenAI uses the type invalid_request_error for many kinds of errors, so the code and the message count first.
    if (status !== undefined && status !== 400) return status;
  }
  const [, status] = STATUS_OF_WORDS.find(([words]) => words.test(message)) ?? [];
  return status ?? (type === 'invalid_request_error' || /^invalid|^unsupported|image|content_/i.test(code) ? 400 : 500);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
}
