import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { CallerGone } from '../../src/http/deadline.ts';
import { withFailure, withHeartbeats } from '../../src/http/events.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Pieces that come when they are told to. */
function source(): { pieces: AsyncGenerator<string>; go: PromiseWithResolvers<string>; ended: () => boolean } {
  const go = Promise.withResolvers<string>();
  let isOver = false;
  async function* pieces(): AsyncGenerator<string> {
    try {
      yield 'first';
      yield await go.promise;
    } finally {
      isOver = true;
    }
  }
  return { pieces: pieces(), go, ended: () => isOver };
}

test('a silence of 15 s brings a comment line, and the next piece comes all the same', async () => {
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

test('a reader who leaves during a silence ends the source, after the read that is pending', async () => {
  const { pieces, go, ended } = source();
  const stream = withHeartbeats(pieces);
  await stream.next();
  const beat = stream.next();
  await vi.advanceTimersByTimeAsync(15_000);
  await beat;
  const left = vi.fn();
  const leaving = stream.return(undefined).then(left);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(left).not.toHaveBeenCalled();
  go.reject(new Error('nobody is left to be told'));
  await leaving;
  expect(ended()).toBe(true);
});

test('a source that is no generator is not asked to end while a read is pending', async () => {
  const read = Promise.withResolvers<IteratorResult<string>>();
  const ended = vi.fn(async () => ({ done: true, value: undefined }) as const);
  const stream = withHeartbeats({ [Symbol.asyncIterator]: () => ({ next: async () => read.promise, return: ended }) });
  const beat = stream.next();
  await vi.advanceTimersByTimeAsync(15_000);
  await beat;
  const leaving = stream.return(undefined);
  await vi.advanceTimersByTimeAsync(0);
  expect(ended).not.toHaveBeenCalled();
  read.reject(new Error('nobody is left to be told'));
  await leaving;
  expect(ended).toHaveBeenCalledOnce();
});

test.each([
  { error: new Error('broken'), pieces: ['told: broken'] },
  { error: new CallerGone(), pieces: [] },
])('pieces that break off end with why, unless the caller is gone ($error.name)', async ({ error, pieces }) => {
  const { pieces: from, go } = source();
  const all = Array.fromAsync(withFailure(from, (why) => `told: ${String(why instanceof Error && why.message)}`));
  go.reject(error);
  expect(await all).toEqual(['first', ...pieces]);
});
