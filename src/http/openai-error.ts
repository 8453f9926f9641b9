import type { Problem } from './problem.ts';
import type { Reply } from './reply.ts';

/** A problem in the shape that OpenAI's clients read: https://platform.openai.com/docs/guides/error-codes */
export function openAiError(
  { code, status, detail, members }: Problem,
  requestId: string,
): { error: Record<string, unknown> } {
  return { error: { message: detail, type: errorType(status), param: null, code, requestId, ...members } };
}

/** The same as a response. */
export function openAiErrorResponse(problem: Problem, requestId: string): Reply {
  return {
    status: problem.status,
    headers: { 'content-type': 'application/json', ...problem.headers },
    body: JSON.stringify(openAiError(problem, requestId)),
  };
}

function errorType(status: number): string {
  if (status === 429) return 'rate_limit_error';
  return status < 500 ? 'invalid_request_error' : 'server_error';
}
