import { CallerGone } from './deadline.ts';

/** Milliseconds of silence before a comment line is sent. Load balancers close connections that are idle, often after 60 s. */
const HEARTBEAT_MS = 15_000;

/** Headers of a stream of events. The second keeps proxies such as nginx from collecting it first. */
export const EVENT_STREAM_HEADERS = { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' };

/** One server-sent event: https://html.spec.whatwg.org/multipage/server-sent-events.html */
export function formatEvent(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** The same pieces. If they break off, a last one tells why, unless the caller is gone. */
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

/** The same pieces, with a comment line whenever none has come for a while. */
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
    // If the reader leaves during a silence, a read is pending. It ends first, and its failure has nobody left to tell.
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
