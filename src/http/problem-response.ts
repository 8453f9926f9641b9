import type { Problem } from './problem.ts';
import type { Reply } from './create-handler.ts';

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
