import type { APIError } from 'openai';
import { isRecord } from '../config/json-object.ts';

/** What the model's side said about a failure, whatever shape it said it in. Empty where it said nothing. */
export interface UpstreamError {
  /** The HTTP status, or the one that an error event inside a 200 stream stands for. */
  readonly status: number | undefined;
  readonly code: string;
  readonly type: string;
  /** The parameter that is at fault. */
  readonly param: string | null;
  readonly message: string;
  /** What the body was: a gateway answers with pages, with nothing, or with a flat object where Azure nests its errors. */
  readonly body: 'error' | 'flat' | 'page' | 'none';
}

/** Codes and types of errors that come as events, by the status that they would have had. */
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

/** The same by words, for errors whose code says nothing. */
const STATUS_OF_WORDS: readonly (readonly [words: RegExp, status: number])[] = [
  [/rate limit|too many requests|quota/i, 429],
  [/overloaded|at capacity|temporarily unavailable/i, 503],
  [/timed? ?out|operation was timeout/i, 408],
  [/server had an error|internal (?:server )?error/i, 500],
];

/** Reads an error of the SDK, which has the status, the code and the body of what the model's side answered. */
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
 * The error of a body that is not shaped like Azure's `{"error": {"code", "message"}}`, as an object of that shape: the SDK
 * reads no other. Gateways answer with a string under `error`, or with code and message at the top.
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
    // What OpenAI calls an invalid request may be anything: its code and its words know better than its type.
    if (status !== undefined && status !== 400) return status;
  }
  const [, status] = STATUS_OF_WORDS.find(([words]) => words.test(message)) ?? [];
  return status ?? (type === 'invalid_request_error' || /^invalid|^unsupported|image|content_/i.test(code) ? 400 : 500);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
}
