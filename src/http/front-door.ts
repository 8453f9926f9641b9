import type { HttpHandler, HttpRequest, InvocationContext } from '@azure/functions';
import { Problem } from '../problem.ts';
import { Deadline } from './deadline.ts';
import { problemResponse } from './problem-response.ts';
import type { Reply } from './reply.ts';
import { Stopwatch } from './stopwatch.ts';

/** One request on its way through the house. */
export interface Exchange {
  readonly request: HttpRequest;
  /** The platform's invocation id, so that a caller's report leads straight to the platform's own logs. */
  readonly requestId: string;
  readonly deadline: Deadline;
  readonly stopwatch: Stopwatch;
  /** Facts for the one line that is logged about this request: sizes, counts and ids, never content. */
  readonly facts: Record<string, unknown>;
}

/** What a front door does with a request; whatever it throws becomes a problem document. */
export type Handle = (exchange: Exchange) => Promise<Reply>;

/**
 * Wraps a handler into what every POST route shares: a deadline, ids, timings, headers, problems and one log line.
 * It never throws: in stream mode the worker leaves the caller of a handler that does waiting until the host gives up.
 */
export function frontDoor(timeoutMs: number, handle: Handle): HttpHandler {
  return async (request, context) => {
    const exchange: Exchange = {
      request,
      requestId: context.invocationId,
      deadline: new Deadline(timeoutMs),
      stopwatch: new Stopwatch(),
      facts: {},
    };
    try {
      return finish(exchange, context, await handle(exchange));
    } catch (error) {
      return finish(exchange, context, problemResponse(problemOf(error, exchange, context), exchange.requestId));
    } finally {
      exchange.deadline.clear();
    }
  };
}

/** Headers of every response of every route. */
export function commonHeaders(requestId: string): Record<string, string> {
  return { 'x-request-id': requestId, 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' };
}

function finish(exchange: Exchange, context: InvocationContext, reply: Reply): Reply {
  const { requestId, stopwatch, facts } = exchange;
  context.log(JSON.stringify({ requestId, status: reply.status, ...facts, ms: stopwatch.durations() }));
  return {
    ...reply,
    headers: { ...reply.headers, ...commonHeaders(requestId), 'server-timing': stopwatch.toHeader() },
  };
}

function problemOf(error: unknown, exchange: Exchange, context: InvocationContext): Problem {
  const problem = error instanceof Problem ? error : unexpected(error, exchange, context);
  exchange.facts['code'] = problem.code;
  return problem;
}

function unexpected(error: unknown, exchange: Exchange, context: InvocationContext): Problem {
  context.error(`${exchange.requestId} failed unexpectedly:`, error);
  return new Problem('internal_error', 'This is a fault of the service. Its log has the reason, under the request id.');
}
