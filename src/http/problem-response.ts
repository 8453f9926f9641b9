import type { Problem } from './problem.ts';
import type { Reply } from './create-handler.ts';
import type { ProblemCode } from './problem-catalogue.ts';

/** Makes the problem document (RFC 9457), with the stable code, the request id and the members that the code adds. */
export function problemBody(
  { code, status, title, detail, members }: Problem,
  requestId: string,
): Record<string, unknown> {
  return { type: `urn:problem:${code}`, title, status, detail, code, requestId, ...members };
}

/** Makes the response that carries {@link problemBody}. */
export function problemResponse(problem: Problem, requestId: string): Reply {
  return {
    status: problem.status,
    headers: { 'content-type': 'application/problem+json', ...problem.headers },
    body: JSON.stringify(problemBody(problem, requestId)),
  };
}

/** The caller may retry these: the model was not called, and the cause goes away by itself. */
const RETRY_HELPS: ReadonlySet<ProblemCode> = new Set(['request_timeout', 'overloaded', 'identity_unavailable']);

/** Makes the error body that OpenAI's clients read: https://platform.openai.com/docs/guides/error-codes */
export function openAiError(
  { code, status, detail, members }: Problem,
  requestId: string,
): { error: Record<string, unknown> } {
  return { error: { message: detail, type: errorType(status), param: null, code, requestId, ...members } };
}

/**
 * Makes the response that carries {@link openAiError}. The app has already retried failures of the model, so a header
 * tells OpenAI's SDKs not to retry them again. Otherwise, a 500 would cost nine calls: three by the SDK, times three by
 * the app.
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
