import type { Handle, Reply } from '../http/create-handler.ts';
import type { IncomingRequest } from '../http/incoming-request.ts';
import { openAiErrorResponse, problemResponse } from '../http/problem-response.ts';
import { Problem } from '../http/problem.ts';
import { matches, pathBehindPrefix } from './path.ts';
import type { Route } from './route.ts';

/** The part of a route that this file needs. */
type Known = Pick<Route, 'methods' | 'path'>;

/** Paths below which clients expect errors in OpenAI's format. */
const OPENAI_PREFIX = /^(?:chat|responses|models|v1|openai)(?:\/|$)/;

/** Paths that clients build from other base URLs. Each leads to a route that also has a shorter path. */
const OPENAI_ALIAS = / \/api\/(?:v1|openai)\//;

/**
 * Answers a request that matches no route, with `not_found`, or with `method_not_allowed` if only the method is wrong.
 */
export function notFound(routes: readonly Known[]): Handle {
  return async ({ request: { method, url } }) => {
    throw whyNoRoute(routes, method, pathBehindPrefix(url));
  };
}

/**
 * Makes the response to a problem of a request that matches no route, in the format that clients of its path expect.
 */
export function notFoundReply(problem: Problem, requestId: string, { method, url }: IncomingRequest): Reply {
  const isOpenAi = OPENAI_PREFIX.test(pathBehindPrefix(url) ?? '');
  const reply = isOpenAi ? openAiErrorResponse(problem, requestId) : problemResponse(problem, requestId);
  return method === 'HEAD' ? withoutBody(reply) : reply;
}

function whyNoRoute(routes: readonly Known[], method: string, path: string | undefined): Problem {
  const known = routes.filter((route) => path !== undefined && matches(route.path, path));
  const methods = known.flatMap((route) => route.methods);
  if (methods.length > 0) {
    const allow = methods.join(', ');
    return new Problem('method_not_allowed', `This route does not take ${method}. Use ${allow}.`, {
      members: { allowed: methods },
      headers: { allow },
    });
  }
  const existing = routes.flatMap((route) => route.methods.map((each) => `${each} /api/${route.path}`));
  const main = existing.filter((route) => !OPENAI_ALIAS.test(route));
  return new Problem(
    'not_found',
    `There is no such route. There are: ${main.join(', ')}. GET /api/openapi.json describes them.`,
    { members: { routes: existing } },
  );
}

/** A response to HEAD has no body: RFC 9110, section 9.3.2. */
function withoutBody({ status, headers }: Reply): Reply {
  return { status, headers, body: '' };
}
