import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { CallerGone } from '../../src/http/deadline.ts';
import { withFailure, withHeartbeats } from '../../src/http/events.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A source of two pieces. The second one comes when the test settles `go`. */
function source(): { pieces: AsyncGenerator<string>; go: PromiseWithResolvers<string>; ended: () => boolean } {
  const go = Promise.withResolvers<string>();
  let hasEnded = false;
  async function* pieces(): AsyncGenerator<string> {
    try {
      yield 'first';
      yield await go.promise;
    } finally {
      hasEnded = true;
    }
  }
  return { pieces: pieces(), go, ended: () => hasEnded };
}

test('sends a comment line after a silence of 15 s, and then the next piece', async () => {
  const { pieces, go } = source();
  const stream = withHeartbeats(pieces);
  expect((await stream.next()).value).toBe('first');
  const second = stream.next();
  await vi.advanceTimersByTimeAsync(15_000);
  expect((await second).value).toBe(': still here\n\n');
  go.resolve('second');
  expect((await stream.next()).value).toBe('second');
  expect((await stream.next()).done).toBe(true);
});

test('if the reader stops during a silence, the source ends after its pending read', async () => {
  const { pieces, go, ended } = source();
  const stream = withHeartbeats(pieces);
  await stream.next();
  const beat = stream.next();
  await vi.advanceTimersByTimeAsync(15_000);
  await beat;
  const stopped = vi.fn();
  const stopping = stream.return(undefined).then(stopped);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(stopped).not.toHaveBeenCalled();
  go.reject(new Error('the reader has stopped'));
  await stopping;
  expect(ended()).toBe(true);
});

test('does not call return() of a source that is not a generator while a read is pending', async () => {
  const read = Promise.withResolvers<IteratorResult<string>>();
  const ended = vi.fn(async () => ({ done: true, value: undefined }) as const);
  const stream = withHeartbeats({ [Symbol.asyncIterator]: () => ({ next: async () => read.promise, return: ended }) });
  const beat = stream.next();
  await vi.advanceTimersByTimeAsync(15_000);
  await beat;
  const stopping = stream.return(undefined);
  await vi.advanceTimersByTimeAsync(0);
  expect(ended).not.toHaveBeenCalled();
  read.reject(new Error('the reader has stopped'));
  await stopping;
  expect(ended).toHaveBeenCalledOnce();
});

test.each([
  { error: new Error('broken'), pieces: ['failed: broken'] },
  { error: new CallerGone(), pieces: [] },
])('a source fails with $error.name: adds a piece, unless the caller has disconnected', async ({ error, pieces }) => {
  const { pieces: from, go } = source();
  const all = Array.fromAsync(withFailure(from, (why) => `failed: ${String(why instanceof Error && why.message)}`));
  go.reject(error);
  expect(await all).toEqual(['first', ...pieces]);
});
