import type { Handle, Reply } from '../http/create-handler.ts';
import { openAiErrorResponse } from '../http/openai-error.ts';
import { problemResponse } from '../http/problem-response.ts';
import { Problem } from '../http/problem.ts';
import type { Route } from './route.ts';

/** What a route answers to, as far as it matters to a request that no route takes. */
type Known = Pick<Route, 'methods' | 'path'>;

/** Below these, clients read errors in OpenAI's shape. */
const OPENAI_PREFIX = /^(?:chat|responses|models|v1|openai)(?:\/|$)/i;

/** Answers a request that no route takes: there is no such path, or the path does not take the method. */
export function notFound(routes: readonly Known[]): Handle {
  return async ({ request, requestId, toProblem }) => {
    const path = pathBehindPrefix(request.url);
    const problem = toProblem(whyNoRoute(routes, request.method, path));
    const reply = OPENAI_PREFIX.test(path)
      ? openAiErrorResponse(problem, requestId)
      : problemResponse(problem, requestId);
    return request.method === 'HEAD' ? withoutBody(reply) : reply;
  };
}

function whyNoRoute(routes: readonly Known[], method: string, path: string): Problem {
  const methods = routes.filter((route) => matches(route.path, path)).flatMap((route) => route.methods);
  if (methods.length > 0) {
    const allow = methods.join(', ');
    return new Problem('method_not_allowed', `This route does not take ${method}. Use ${allow}.`, {
      members: { allowed: methods },
      headers: { allow },
    });
  }
  const existing = routes.flatMap((route) => route.methods.map((each) => `${each} /api/${route.path}`));
  return new Problem(
    'not_found',
    `There is no such route. There are: ${existing.join(', ')}. GET /api/openapi.json describes them.`,
    { members: { routes: existing } },
  );
}

/** Letter case and a trailing slash do not matter, as on the Functions host. A segment `{name}` stands for any one. */
function matches(template: string, path: string): boolean {
  const wanted = template.toLowerCase().split('/');
  const given = path.toLowerCase().split('/');
  return (
    wanted.length === given.length && wanted.every((segment, at) => segment.startsWith('{') || segment === given[at])
  );
}

function pathBehindPrefix(url: string): string {
  return new URL(url).pathname.replace(/^\/api\/?/i, '').replace(/\/$/, '');
}

/** RFC 9110, section 9.3.2. */
function withoutBody({ status, headers }: Reply): Reply {
  return { status, headers, body: '' };
}
