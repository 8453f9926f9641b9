import type { Problem } from './problem.ts';
import type { Reply } from './create-handler.ts';
import type { ProblemCode } from './problem-catalogue.ts';

/** A problem as a document: RFC 9457, with the stable code, the request id and what the code adds. */
export function problemBody(
  { code, status, title, detail, members }: Problem,
  requestId: string,
): Record<string, unknown> {
  return { type: `urn:problem:${code}`, title, status, detail, code, requestId, ...members };
}

/** The same as a response. */
export function problemResponse(problem: Problem, requestId: string): Reply {
  return {
    status: problem.status,
    headers: { 'content-type': 'application/problem+json', ...problem.headers },
    body: JSON.stringify(problemBody(problem, requestId)),
  };
}

/** Worth another attempt by the caller: nothing was asked of the model, and what was in the way passes by itself. */
const RETRY_HELPS: ReadonlySet<ProblemCode> = new Set(['request_timeout', 'overloaded', 'identity_unavailable']);

/** A problem in the shape that OpenAI's clients read: https://platform.openai.com/docs/guides/error-codes */
export function openAiError(
  { code, status, detail, members }: Problem,
  requestId: string,
): { error: Record<string, unknown> } {
  return { error: { message: detail, type: errorType(status), param: null, code, requestId, ...members } };
}

/**
 * The same as a response. The model's failures were retried here already, so OpenAI's SDKs, which would retry them on top,
 * are told not to: an answer of 500 would otherwise cost nine calls.
 */
export function openAiErrorResponse(problem: Problem, requestId: string): Reply {
  return {
    status: problem.status,
    headers: {
      'content-type': 'application/json',
      ...(RETRY_HELPS.has(problem.code) ? {} : { 'x-should-retry': 'false' }),
      ...problem.headers,
    },
    body: JSON.stringify(openAiError(problem, requestId)),
  };
}

function errorType(status: number): string {
  if (status === 429) return 'rate_limit_error';
  return status < 500 ? 'invalid_request_error' : 'server_error';
}
