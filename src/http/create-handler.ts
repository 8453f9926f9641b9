import type { HttpHandler, HttpRequest, InvocationContext } from '@azure/functions';
import { Problem } from './problem.ts';
import { Connection } from '../functions/connection.ts';
import { CallerGone, Deadline } from './deadline.ts';
import { inFlight } from './in-flight.ts';
import { paced } from './paced.ts';
import type { Reply } from './reply.ts';
import { Stopwatch } from './stopwatch.ts';

/** One request on its way through the house. */
export interface RequestContext {
  readonly request: HttpRequest;
  /** The platform's invocation id, so that a caller's report leads straight to the platform's own logs. */
  readonly requestId: string;
  readonly connection: Connection;
  readonly deadline: Deadline;
  readonly stopwatch: Stopwatch;
  /** Facts for the one line that is logged about this request: sizes, counts and ids, never content. */
  readonly facts: Record<string, unknown>;
  /** Has something done when the last byte of the answer was taken, or nobody wants it any more. */
  readonly onFinish: (finish: () => void) => void;
  /** Turns whatever was thrown into a problem, and sees to it that the log knows. */
  readonly fail: (error: unknown) => Problem;
}

/** What a front door does with a request; whatever it throws becomes a problem. */
export type Handle = (context: RequestContext) => Promise<Reply>;

/** What differs from one front door to the next. */
export interface HandlerOptions {
  /** Loads what it does, so that registration does not wait for that; asked for every request. */
  readonly load: () => Promise<Handle>;
  /** How it words a problem. */
  readonly toReply: (problem: Problem, requestId: string) => Reply;
  /** Is told of each request when it is over. */
  readonly observe?: ((context: RequestContext, invocation: InvocationContext, reply: Reply) => void) | undefined;
}

/** A parameter's name or path, such as `messages[0].content`; anything else could be what a caller wrote. */
const PARAMETER = /^[\w.[\]-]{1,100}$/;

/** What a proxy's log calls a caller who did not wait; nobody receives it. */
const CALLER_GONE: Reply = { status: 499, headers: {}, body: '' };

/**
 * Wraps a handler into what every POST route shares: a deadline, ids, timings, headers, problems and one log line.
 * It never throws: in stream mode the worker leaves the caller of a handler that does waiting until the host gives up.
 */
export function createHandler(timeoutMs: number, { load, toReply, observe }: HandlerOptions): HttpHandler {
  return async (request, invocation) => {
    const connection = new Connection(invocation.invocationId);
    const finishes = [inFlight.begin()];
    const context = createContext(request, invocation, connection, new Deadline(timeoutMs), finishes);
    connection.onGone(() => context.deadline.abandon());
    const reply = await answer(load, context).catch((error: unknown) =>
      error instanceof CallerGone ? CALLER_GONE : toReply(context.fail(error), context.requestId),
    );
    const end = (): void => {
      context.deadline.clear();
      for (const finish of finishes) finish();
      logLine(reply.status, context, invocation, typeof reply.body !== 'string');
      observe?.(context, invocation, reply);
    };
    if (typeof reply.body === 'string') end();
    return {
      status: reply.status,
      headers: { ...reply.headers, ...commonHeaders(context.requestId), 'server-timing': context.stopwatch.toHeader() },
      body: typeof reply.body === 'string' ? reply.body : paced(reply.body, connection, end),
    };
  };
}

/** Headers of every response of every route. */
export function commonHeaders(requestId: string): Record<string, string> {
  return { 'x-request-id': requestId, 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' };
}

/**
 * Logs the one line about a request: ids, sizes, durations and an outcome, never content.
 * @param streamed - whether the answer was made while it was sent. The invocation is over by then, and the platform adds
 * a warning to each line that comes through its context; what is printed is logged as well.
 */
function logLine(
  status: number,
  { requestId, facts, stopwatch }: RequestContext,
  invocation: InvocationContext,
  streamed: boolean,
): void {
  const line = JSON.stringify({ requestId, status, ...facts, ms: stopwatch.durations() });
  if (streamed) console.log(line);
  else invocation.log(line);
}

async function answer(load: HandlerOptions['load'], context: RequestContext): Promise<Reply> {
  const handle = await load();
  return handle(context);
}

function createContext(
  request: HttpRequest,
  invocation: InvocationContext,
  connection: Connection,
  deadline: Deadline,
  finishes: (() => void)[],
): RequestContext {
  const requestId = invocation.invocationId;
  const facts: Record<string, unknown> = {};
  return {
    request,
    requestId,
    connection,
    deadline,
    stopwatch: new Stopwatch(),
    facts,
    onFinish: (finish) => void finishes.push(finish),
    fail(error) {
      const problem = error instanceof Problem ? error : unexpected();
      if (problem !== error) invocation.error(`${requestId} failed unexpectedly:`, error);
      facts['code'] = problem.code;
      const { param } = problem.members;
      if (typeof param === 'string' && PARAMETER.test(param)) facts['param'] = param;
      return problem;
    },
  };
}

function unexpected(): Problem {
  return new Problem('internal_error', 'This is a fault of the service. Its log has the reason, under the request id.');
}
