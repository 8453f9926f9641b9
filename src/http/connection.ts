import type { IncomingMessage, ServerResponse } from 'node:http';

/** The caller's end of one request: what arrives of its body, and how its answer is taken. */
export interface Connection {
  /**
   * The request's body as it arrives. Reading it may stop at any time; {@link discardRest} then reads on.
   * @throws the signal's reason as soon as it is aborted, or what the connection broke off with
   */
  readonly body: (signal: AbortSignal) => AsyncIterable<Uint8Array>;
  /**
   * Reads the rest of the body without keeping it. Needed after an answer that comes before the end of the request: on
   * a connection that is kept alive, the next request would otherwise never be read.
   */
  readonly discardRest: () => void;
  /** Resolves when the response is over: true if all of it was handed to the network, false if the caller left before. */
  readonly closed: Promise<boolean>;
  /** Resolves when what was written so far has been taken, or when there is nobody left to take it. */
  readonly drained: () => Promise<void>;
}

/** The connection of a request to a server of `node:http`. To be called when the request starts. */
export function connectionOf(request: IncomingMessage, response: ServerResponse): Connection {
  return {
    body: (signal) => chunks(request, signal),
    discardRest: () => void request.resume(),
    closed: new Promise((resolve) => {
      response.once('close', () => resolve(response.writableFinished));
    }),
    async drained() {
      if (!response.writableNeedDrain || response.destroyed) return;
      await new Promise<void>((resolve) => {
        const done = (): void => {
          response.off('drain', done).off('close', done);
          resolve();
        };
        response.on('drain', done).on('close', done);
      });
    },
  };
}

/** Unlike the stream's own iterator, this one ends when the signal is aborted, and leaves the stream open when it is left. */
async function* chunks(request: IncomingMessage, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  let wake: (() => void) | undefined;
  const change = (): void => wake?.();
  const events = ['readable', 'end', 'error', 'close'] as const;
  for (const event of events) request.on(event, change);
  signal.addEventListener('abort', change);
  try {
    for (;;) {
      signal.throwIfAborted();
      const chunk: unknown = request.read();
      if (chunk instanceof Uint8Array) yield chunk;
      else if (request.readableEnded) return;
      else if (request.destroyed) throw request.errored ?? new Error('the connection was closed');
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    for (const event of events) request.off(event, change);
    signal.removeEventListener('abort', change);
  }
}
