import { EXPOSED_HEADERS } from './cors.ts';
import { CallerGone, Deadline } from './deadline.ts';
import { describeError } from './describe-error.ts';
import type { IncomingRequest } from './incoming-request.ts';
import type { InFlight } from './in-flight.ts';
import { Problem } from './problem.ts';
import { type Lap, Stopwatch } from './stopwatch.ts';

/** One request while it is being answered. */
export interface RequestContext {
  readonly request: IncomingRequest;
  readonly requestId: string;
  readonly deadline: Deadline;
  readonly stopwatch: Stopwatch;
  /** Facts for the log line of this request: sizes, counts and ids, never content. */
  readonly facts: Record<string, unknown>;
  /** Registers a function to call when the response is sent or the caller has disconnected. */
  readonly onFinish: (finish: () => void) => void;
  /** Turns whatever was thrown into a problem, and adds it to the log line. */
  readonly toProblem: (error: unknown) => Problem;
}

/** A response, before {@link createHandler} adds the headers that every response has. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** An iterable is sent while it is made. Its next piece is requested when the caller has received the last one. */
  readonly body: string | AsyncIterable<string>;
}

/** A response, ready to be written. */
export interface Response {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Write an iterable piece by piece. It waits by itself until the caller has received the last piece. */
  readonly body: string | AsyncIterable<Uint8Array>;
}

/** Answers one request. Whatever it throws becomes a problem. */
export type Handle = (context: RequestContext) => Promise<Reply>;

/** Answers one request. It never rejects. */
export type Handler = (request: IncomingRequest) => Promise<Response>;

/** The facts about a request that has been answered, never content. Times are milliseconds since the epoch. */
export interface AnsweredRequest {
  /** The name of the route. */
  readonly name: string;
  readonly requestId: string;
  readonly trace: IncomingRequest['trace'];
  /** Undefined for a message of a job, which has no response. */
  readonly status: number | undefined;
  /** Whether the response was made while it was sent. */
  readonly streamed: boolean;
  /** The facts of the log line. */
  readonly facts: Readonly<Record<string, unknown>>;
  readonly laps: readonly Lap[];
  readonly start: number;
  readonly end: number;
}

/** What a handler needs in addition to the function of its route. */
export interface HandlerOptions {
  readonly name: string;
  /** The deadline of a request, in milliseconds. */
  readonly timeoutMs: number;
  /** Makes the response for a problem. */
  readonly toReply: (problem: Problem, requestId: string, request: IncomingRequest) => Reply;
  readonly inFlight: InFlight;
  /** Whether to log and trace nothing for this route. */
  readonly isQuiet: boolean;
  /** Called for each request once it is answered. */
  readonly observe?: ((request: AnsweredRequest) => void) | undefined;
}

/** A parameter's name or path, such as `messages[0].content`. Other text may be content, which is never logged. */
const PARAMETER = /^[\w.[\]-]{1,100}$/;

/** The status that nginx logs when the caller has disconnected. Nobody receives this response. */
const CALLER_GONE: Reply = { status: 499, headers: {}, body: '' };

/** Adds to a route's function what all routes share: a deadline, ids, timings, headers, problems and one log line. */
export function createHandler(handle: Handle, options: HandlerOptions): Handler {
  const { name, timeoutMs, toReply, inFlight, isQuiet, observe } = options;
  return async (request) => {
    const finishes = [inFlight.begin()];
    const context = createContext(request, timeoutMs, finishes);
    const { deadline, stopwatch, facts } = context;
    const closed = watch(request, deadline);
    const reply = await answer(handle, context).catch((error: unknown) =>
      error instanceof CallerGone ? CALLER_GONE : toReply(context.toProblem(error), request.id, request),
    );
    const streamed = typeof reply.body !== 'string';
    const answered = (): void => {
      deadline.clear();
      if (!isQuiet) report();
      void finishAfter(closed, finishes);
    };
    const report = (): void => {
      const { id, trace } = request;
      const { status } = reply;
      const { laps, start } = stopwatch;
      request.log('info', JSON.stringify({ requestId: id, status, ...facts, ms: stopwatch.durations() }));
      observe?.({ name, requestId: id, trace, status, streamed, facts, laps, start, end: stopwatch.now() });
    };
    if (!streamed) answered();
    return {
      status: reply.status,
      headers: { ...reply.headers, ...commonHeaders(request), 'server-timing': stopwatch.toHeader() },
      body: typeof reply.body === 'string' ? reply.body : paced(reply.body, request, answered),
    };
  };
}

/** The headers of every response. */
function commonHeaders({ id, headers }: IncomingRequest): Record<string, string> {
  return {
    'x-request-id': id,
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
    // In Azure, the platform handles CORS, but it does not know which headers this app sends.
    ...(headers.get('origin') === null ? {} : { 'access-control-expose-headers': EXPOSED_HEADERS }),
  };
}

/** Aborts the request if the caller disconnects. */
async function watch({ closed }: IncomingRequest, deadline: Deadline): Promise<void> {
  if (!(await closed)) deadline.abandon();
}

async function finishAfter(closed: Promise<void>, finishes: readonly (() => void)[]): Promise<void> {
  await closed;
  for (const finish of finishes) finish();
}

async function answer(handle: Handle, context: RequestContext): Promise<Reply> {
  return handle(context);
}

/** Makes a body only as fast as the caller receives it. Otherwise, it would pile up in memory if the caller is slow. */
async function* paced(
  pieces: AsyncIterable<string>,
  { drained }: IncomingRequest,
  ended: () => void,
): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  try {
    for await (const piece of pieces) {
      yield encoder.encode(piece);
      await drained();
    }
  } finally {
    ended();
  }
}

function createContext(request: IncomingRequest, timeoutMs: number, finishes: (() => void)[]): RequestContext {
  const facts: Record<string, unknown> = {};
  return {
    request,
    requestId: request.id,
    deadline: new Deadline(timeoutMs),
    stopwatch: new Stopwatch(),
    facts,
    onFinish: (finish) => void finishes.push(finish),
    toProblem(error) {
      const problem = error instanceof Problem ? error : internalError();
      if (problem !== error)
        request.log('error', `${request.id} failed unexpectedly: ${JSON.stringify(describeError(error))}`);
      facts['code'] = problem.code;
      const { param } = problem.members;
      if (typeof param === 'string' && PARAMETER.test(param)) facts['param'] = param;
      return problem;
    },
  };
}

function internalError(): Problem {
  return new Problem('internal_error', 'The service has a fault. Its log has the reason, under the request id.');
}
