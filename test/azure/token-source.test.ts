import { setImmediate } from 'node:timers/promises';
import type { AccessToken } from '@azure/identity';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { NoTokenInTime, TokenSource } from '../../src/azure/token-source.ts';
import { Problem } from '../../src/http/problem.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }));
afterEach(() => void vi.useRealTimers());

/** A fetch of the credential that is still to be answered. */
interface Asked {
  answer(token: string, livesMs: number, refreshAfterMs?: number): void;
  fail(): void;
}

/** A source on a credential that answers when it is told to. */
function makeSource(hangsAfterMs = 15 * SECOND): { source: TokenSource; asked: Asked[]; made: () => number } {
  const asked: Asked[] = [];
  let made = 0;
  const source = new TokenSource({
    scope: 'scope',
    hangsAfterMs,
    explain: async (cause) =>
      new Problem('identity_unavailable', cause instanceof NoTokenInTime ? 'late' : String(cause), { cause }),
    create() {
      made += 1;
      return {
        getToken: async () =>
          new Promise<AccessToken>((resolve, reject) => {
            asked.push({
              answer: (token, livesMs, refreshAfterMs) =>
                resolve({
                  token,
                  expiresOnTimestamp: Date.now() + livesMs,
                  ...(refreshAfterMs ? { refreshAfterTimestamp: Date.now() + refreshAfterMs } : {}),
                }),
              fail: () => reject(new Error('refused')),
            });
          }),
      };
    },
  });
  return { source, asked, made: () => made };
}

async function after(milliseconds: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(milliseconds);
  await setImmediate();
}

describe('one fetch', () => {
  test('serves any number who wait for it, and all who come while its token lives', async () => {
    const { source, asked } = makeSource();
    const waiting = Array.from({ length: 100 }, async () => source.get());
    asked[0]?.answer('first', HOUR);
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['first']));
    await after(30 * MINUTE);
    expect(await source.get()).toBe('first');
    expect(asked).toHaveLength(1);
  });

  test('that fails is told to all who wait, and the next request tries again', async () => {
    const { source, asked } = makeSource();
    const waiting = Array.from({ length: 3 }, async () => source.get());
    asked[0]?.fail();
    for (const each of waiting) await expect(each).rejects.toMatchObject({ code: 'identity_unavailable' });
    const next = source.get();
    asked[1]?.answer('second', HOUR);
    expect(await next).toBe('second');
  });

  test('that hangs is given up by who waits, has another begun beside it, and still serves when it comes', async () => {
    const { source, asked } = makeSource();
    const first = expect(source.get()).rejects.toMatchObject({ detail: 'late' });
    await after(16 * SECOND);
    const second = source.get();
    expect(asked, 'a second fetch, for those who come later').toHaveLength(2);
    await after(25 * SECOND);
    await first;
    asked[0]?.answer('late, but good', HOUR);
    await setImmediate();
    expect(await source.get()).toBe('late, but good');
    asked[1]?.answer('second', HOUR);
    expect(await second).toBe('second');
  });

  test('that ends after a later one does not put an older token in its place', async () => {
    const { source, asked } = makeSource();
    const waiting = [source.get()];
    await after(16 * SECOND);
    waiting.push(source.get());
    asked[1]?.answer('newer', 2 * HOUR);
    await setImmediate();
    asked[0]?.answer('older', HOUR);
    await Promise.all(waiting);
    expect(await source.get()).toBe('newer');
  });

  test('that waits for a person has no other begun beside it', async () => {
    const { source, asked } = makeSource(15 * MINUTE);
    const late = expect(source.get()).rejects.toMatchObject({ detail: 'late' });
    await after(5 * MINUTE);
    await late;
    const next = source.get();
    asked[0]?.answer('signed in', HOUR);
    expect(await next).toBe('signed in');
    expect(asked).toHaveLength(1);
  });
});

describe('renewal', () => {
  test.each([
    { when: 'five minutes before expiry', refreshAfter: undefined, at: 56 * MINUTE },
    { when: 'when its issuer says', refreshAfter: 30 * MINUTE, at: 31 * MINUTE },
  ])('begins $when, and keeps nobody waiting', async ({ refreshAfter, at }) => {
    const { source, asked } = await holding(HOUR, refreshAfter);
    await after(at - 2 * MINUTE);
    await source.get();
    expect(asked).toHaveLength(1);
    await after(2 * MINUTE);
    expect(await source.get()).toBe('first');
    expect(await source.get()).toBe('first');
    expect(asked, 'one renewal, however many ask').toHaveLength(2);
    asked[1]?.answer('second', HOUR);
    await setImmediate();
    expect(await source.get()).toBe('second');
  });

  test('that fails leaves the old token serving, and pauses for longer each time', async () => {
    const { source, asked } = await holding(HOUR, 10 * MINUTE);
    await after(11 * MINUTE);
    const pauses = [30, 60, 120, 240, 300, 300];
    for (const [index, pause] of pauses.entries()) {
      expect(await source.get()).toBe('first');
      expect(asked).toHaveLength(index + 2);
      asked[index + 1]?.fail();
      await setImmediate();
      await after((pause - 1) * SECOND);
      expect(await source.get()).toBe('first');
      expect(asked, `not before ${pause} s`).toHaveLength(index + 2);
      await after(2 * SECOND);
    }
  });

  test('that brings the same token once more, out of a cache, pauses too', async () => {
    const { source, asked } = await holding(HOUR, 10 * MINUTE);
    await after(11 * MINUTE);
    await source.get();
    asked[1]?.answer('first', 49 * MINUTE);
    await setImmediate();
    await source.get();
    expect(asked).toHaveLength(2);
  });

  test('that fails at the moment of expiry, with nobody waiting, is no unhandled rejection', async () => {
    const unhandled = vi.fn<(reason: unknown) => void>();
    process.on('unhandledRejection', unhandled);
    const { source, asked } = await holding(HOUR);
    await after(59 * MINUTE);
    await source.get();
    await after(MINUTE);
    asked[1]?.fail();
    await setImmediate();
    await setImmediate();
    process.off('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
    const next = source.get();
    asked[2]?.answer('third', HOUR);
    expect(await next).toBe('third');
  });
});

describe('a token', () => {
  test('in its last moments is not handed out', async () => {
    const { source, asked } = await holding(HOUR);
    await after(HOUR - 20 * SECOND);
    const next = source.get();
    asked[1]?.answer('second', HOUR);
    expect(await next).toBe('second');
  });

  test('that has expired when it comes is no token', async () => {
    const { source, asked } = makeSource();
    const waiting = source.get();
    asked[0]?.answer('stale', -1);
    await expect(waiting).rejects.toMatchObject({
      code: 'identity_unavailable',
      detail: expect.stringContaining('expired'),
    });
  });

  test('that was refused is forgotten, and the credential with it, unless another has taken its place', async () => {
    const { source, asked, made } = await holding(HOUR);
    source.discard('another');
    expect(await source.get()).toBe('first');
    source.discard('first');
    const next = source.get();
    asked[1]?.answer('second', HOUR);
    expect(await next).toBe('second');
    expect(made()).toBe(2);
  });

  test('that replaces a refused one and is refused as well is kept for a minute: the fault is another', async () => {
    const { source, asked } = await holding(HOUR);
    source.discard('first');
    const second = source.get();
    asked[1]?.answer('second', HOUR);
    await second;
    source.discard('second');
    expect(await source.get()).toBe('second');
    await after(61 * SECOND);
    source.discard('second');
    void source.get();
    expect(asked).toHaveLength(3);
  });
});

async function holding(livesMs: number, refreshAfterMs?: number): Promise<ReturnType<typeof makeSource>> {
  const made = makeSource();
  const first = made.source.get();
  made.asked[0]?.answer('first', livesMs, refreshAfterMs);
  await first;
  return made;
}
