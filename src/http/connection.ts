import type { IncomingMessage, ServerResponse } from 'node:http';

/** The connection of one request: its body, and the state of its response. */
export interface Connection {
  /**
   * Reads the request's body as it arrives. If you stop early, call {@link Connection.discardRest}.
   * @throws the signal's reason as soon as the signal is aborted, or the error of the connection
   */
  readonly body: (signal: AbortSignal) => AsyncIterable<Uint8Array>;
  /**
   * Reads and discards the rest of the body. Call it if the app answers before it has read the whole request.
   * Otherwise, the next request on a kept-alive connection would never be read.
   */
  readonly discardRest: () => void;
  /** Resolves when the response is over: true if all of it was sent, false if the caller disconnected first. */
  readonly closed: Promise<boolean>;
  /** Resolves when the caller can receive more of the response, or has disconnected. */
  readonly drained: () => Promise<void>;
}

/** Makes the connection of a request to a `node:http` server. Call it when the request starts. */
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

/** Unlike the stream's own iterator, this one throws when the signal is aborted, and leaves the stream open on exit. */
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
