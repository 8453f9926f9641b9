import type { HttpHandler, HttpRequest, InvocationContext } from '@azure/functions';
import { Problem } from '../problem.ts';
import { Connection } from './connection.ts';
import { CallerGone, Deadline } from '../deadline.ts';
import { inFlight } from './in-flight.ts';
import { logLine } from './log-line.ts';
import { paced } from './paced.ts';
import type { Reply } from './reply.ts';
import { Stopwatch } from './stopwatch.ts';

/** One request on its way through the house. */
export interface Exchange {
  readonly request: HttpRequest;
  /** The platform's invocation id, so that a caller's report leads straight to the platform's own logs. */
  readonly requestId: string;
  readonly connection: Connection;
  readonly deadline: Deadline;
  readonly stopwatch: Stopwatch;
  /** Facts for the one line that is logged about this request: sizes, counts and ids, never content. */
  readonly facts: Record<string, unknown>;
  /** Has something done when the last byte of the answer was taken, or nobody wants it any more. */
  readonly atEnd: (finish: () => void) => void;
  /** Turns whatever was thrown into a problem, and sees to it that the log knows. */
  readonly fail: (error: unknown) => Problem;
}

/** What a front door does with a request; whatever it throws becomes a problem. */
export type Handle = (exchange: Exchange) => Promise<Reply>;

/** What differs from one front door to the next. */
export interface FrontDoor {
  /** Loads what it does, so that registration does not wait for that; asked for every request. */
  readonly load: () => Promise<Handle>;
  /** How it words a problem. */
  readonly toReply: (problem: Problem, requestId: string) => Reply;
  /** Is told of each request when it is over. */
  readonly observe?: ((exchange: Exchange, context: InvocationContext, reply: Reply) => void) | undefined;
}

/** What a proxy's log calls a caller who did not wait; nobody receives it. */
const CALLER_GONE: Reply = { status: 499, headers: {}, body: '' };

/**
 * Wraps a handler into what every POST route shares: a deadline, ids, timings, headers, problems and one log line.
 * It never throws: in stream mode the worker leaves the caller of a handler that does waiting until the host gives up.
 */
export function frontDoor(timeoutMs: number, { load, toReply, observe }: FrontDoor): HttpHandler {
  return async (request, context) => {
    const connection = new Connection(context.invocationId);
    const finishes = [inFlight.begin()];
    const exchange = openExchange(request, context, connection, new Deadline(timeoutMs), finishes);
    connection.onGone(() => exchange.deadline.abandon());
    const reply = await answer(load, exchange).catch((error: unknown) =>
      error instanceof CallerGone ? CALLER_GONE : toReply(exchange.fail(error), exchange.requestId),
    );
    const end = (): void => {
      exchange.deadline.clear();
      for (const finish of finishes) finish();
      logLine(reply.status, exchange, context, typeof reply.body !== 'string');
      observe?.(exchange, context, reply);
    };
    if (typeof reply.body === 'string') end();
    return {
      status: reply.status,
      headers: { ...reply.headers, ...commonHeaders(exchange.requestId), 'server-timing': exchange.stopwatch.toHeader() },
      body: typeof reply.body === 'string' ? reply.body : paced(reply.body, connection, end),
    };
  };
}

/** Headers of every response of every route. */
export function commonHeaders(requestId: string): Record<string, string> {
  return { 'x-request-id': requestId, 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' };
}

async function answer(load: FrontDoor['load'], exchange: Exchange): Promise<Reply> {
  const handle = await load();
  return handle(exchange);
}

function openExchange(
  request: HttpRequest,
  context: InvocationContext,
  connection: Connection,
  deadline: Deadline,
  finishes: (() => void)[],
): Exchange {
  const requestId = context.invocationId;
  const facts: Record<string, unknown> = {};
  return {
    request,
    requestId,
    connection,
    deadline,
    stopwatch: new Stopwatch(),
    facts,
    atEnd: (finish) => void finishes.push(finish),
    fail(error) {
      const problem = error instanceof Problem ? error : unexpected();
      if (problem !== error) context.error(`${requestId} failed unexpectedly:`, error);
      facts['code'] = problem.code;
      return problem;
    },
  };
}

function unexpected(): Problem {
  return new Problem('internal_error', 'This is a fault of the service. Its log has the reason, under the request id.');
}

