import type { Problem } from '../problem.ts';
import type { Reply } from './reply.ts';

/** A problem as a response: RFC 9457, with the stable code, the request id and what the code adds. */
export function problemResponse(problem: Problem, requestId: string): Reply {
  const { code, status, title, detail, members, headers } = problem;
  return {
    status,
    headers: { 'content-type': 'application/problem+json', ...headers },
    body: JSON.stringify({ type: `urn:problem:${code}`, title, status, detail, code, requestId, ...members }),
  };
}
