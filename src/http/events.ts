import { CallerGone } from './deadline.ts';

/** Silence after which a comment line is sent. Load balancers close idle connections, often after 60 s. */
const HEARTBEAT_MS = 15_000;

/** The headers of an event stream. The second one keeps proxies such as nginx from buffering it. */
export const EVENT_STREAM_HEADERS = { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' };

/** Formats one server-sent event: https://html.spec.whatwg.org/multipage/server-sent-events.html */
export function formatEvent(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** Passes on the pieces. If they fail, it adds the piece that `tell` returns, unless the caller has disconnected. */
export async function* withFailure(
  pieces: AsyncIterable<string>,
  tell: (error: unknown) => string,
): AsyncGenerator<string> {
  try {
    yield* pieces;
  } catch (error) {
    if (!(error instanceof CallerGone)) yield tell(error);
  }
}

/** Passes on the pieces, and adds a comment line whenever none has come for 15 s. */
export async function* withHeartbeats(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  const iterator = pieces[Symbol.asyncIterator]();
  let next = iterator.next();
  try {
    for (;;) {
      const result = await orSilence(next);
      if (!result) {
        yield ': still here\n\n';
        continue;
      }
      if (result.done) return;
      yield result.value;
      next = iterator.next();
    }
  } finally {
    // If the reader stops during a silence, a read is pending. Wait for it. If it fails, nobody needs the error.
    await Promise.allSettled([next]);
    await iterator.return?.();
  }
}

async function orSilence<T>(next: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), HEARTBEAT_MS);
  });
  try {
    return await Promise.race([next, silence]);
  } finally {
    clearTimeout(timer);
  }
}
