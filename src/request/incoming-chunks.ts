import type { IncomingMessage } from 'node:http';

/**
 * What arrives of a request, as it arrives. Unlike the stream's own iterator it ends when the signal is aborted although
 * nothing comes, and leaves the stream as it is when it is left.
 * @throws the signal's reason, or what the connection broke off with
 */
export async function* incomingChunks(request: IncomingMessage, signal: AbortSignal): AsyncGenerator<Uint8Array> {
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
