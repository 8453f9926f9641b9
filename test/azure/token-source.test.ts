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

/** A call of `getToken`, which waits until the test settles it. */
interface TokenRequest {
  resolve(token: string, lifetimeMs: number, refreshAfterMs?: number): void;
  reject(): void;
}

interface MadeSource {
  readonly source: TokenSource;
  readonly requests: readonly TokenRequest[];
  /** How many credentials the source has created. */
  readonly credentials: () => number;
}

/** A source with credentials whose requests the test settles. */
function makeSource(hangsAfterMs = 15 * SECOND): MadeSource {
  const requests: TokenRequest[] = [];
  let credentials = 0;
  const source = new TokenSource({
    scope: 'scope',
    hangsAfterMs,
    explain: async (cause) =>
      new Problem('identity_unavailable', cause instanceof NoTokenInTime ? 'late' : String(cause), { cause }),
    create() {
      credentials += 1;
      return {
        getToken: async () =>
          new Promise<AccessToken>((resolve, reject) => {
            requests.push({
              resolve: (token, lifetimeMs, refreshAfterMs) =>
                resolve({
                  token,
                  expiresOnTimestamp: Date.now() + lifetimeMs,
                  ...(refreshAfterMs ? { refreshAfterTimestamp: Date.now() + refreshAfterMs } : {}),
                }),
              reject: () => reject(new Error('refused')),
            });
          }),
      };
    },
  });
  return { source, requests, credentials: () => credentials };
}

async function advance(milliseconds: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(milliseconds);
  await setImmediate();
}

describe('a fetch', () => {
  test('serves all callers that wait for it, and later callers while its token is valid', async () => {
    const { source, requests } = makeSource();
    const waiting = Array.from({ length: 100 }, async () => source.get());
    requests[0]?.resolve('first', HOUR);
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['first']));
    await advance(30 * MINUTE);
    expect(await source.get()).toBe('first');
    expect(requests).toHaveLength(1);
  });

  test('that fails rejects all callers that wait for it, and the next call fetches again', async () => {
    const { source, requests } = makeSource();
    const waiting = Array.from({ length: 3 }, async () => source.get());
    requests[0]?.reject();
    for (const each of waiting) await expect(each).rejects.toMatchObject({ code: 'identity_unavailable' });
    const next = source.get();
    requests[1]?.resolve('second', HOUR);
    expect(await next).toBe('second');
  });

  test('that hangs: its callers time out, a later call starts another fetch, and its late token is used', async () => {
    const { source, requests } = makeSource();
    const first = expect(source.get()).rejects.toMatchObject({ detail: 'late' });
    await advance(16 * SECOND);
    const second = source.get();
    expect(requests, 'a later call starts a second fetch').toHaveLength(2);
    await advance(25 * SECOND);
    await first;
    requests[0]?.resolve('late, but good', HOUR);
    await setImmediate();
    expect(await source.get()).toBe('late, but good');
    requests[1]?.resolve('second', HOUR);
    expect(await second).toBe('second');
  });

  test('that ends after a newer one does not replace a token that is valid for longer', async () => {
    const { source, requests } = makeSource();
    const waiting = [source.get()];
    await advance(16 * SECOND);
    waiting.push(source.get());
    requests[1]?.resolve('newer', 2 * HOUR);
    await setImmediate();
    requests[0]?.resolve('older', HOUR);
    await Promise.all(waiting);
    expect(await source.get()).toBe('newer');
  });

  test('that waits for a user to sign in stays the only one, even after its callers time out', async () => {
    const { source, requests } = makeSource(15 * MINUTE);
    const late = expect(source.get()).rejects.toMatchObject({ detail: 'late' });
    await advance(5 * MINUTE);
    await late;
    const next = source.get();
    requests[0]?.resolve('signed in', HOUR);
    expect(await next).toBe('signed in');
    expect(requests).toHaveLength(1);
  });
});

describe('renewal', () => {
  test.each([
    { when: 'five minutes before expiry', refreshAfter: undefined, at: 56 * MINUTE },
    { when: 'at the time that the issuer gives', refreshAfter: 30 * MINUTE, at: 31 * MINUTE },
  ])('starts $when, and callers get the old token without waiting', async ({ refreshAfter, at }) => {
    const { source, requests } = await sourceWithToken(HOUR, refreshAfter);
    await advance(at - 2 * MINUTE);
    await source.get();
    expect(requests).toHaveLength(1);
    await advance(2 * MINUTE);
    expect(await source.get()).toBe('first');
    expect(await source.get()).toBe('first');
    expect(requests, 'one renewal for all callers').toHaveLength(2);
    requests[1]?.resolve('second', HOUR);
    await setImmediate();
    expect(await source.get()).toBe('second');
  });

  test('that fails keeps the old token in use, and pauses for longer before each new attempt', async () => {
    const { source, requests } = await sourceWithToken(HOUR, 10 * MINUTE);
    await advance(11 * MINUTE);
    const pauses = [30, 60, 120, 240, 300, 300];
    for (const [index, pause] of pauses.entries()) {
      expect(await source.get()).toBe('first');
      expect(requests).toHaveLength(index + 2);
      requests[index + 1]?.reject();
      await setImmediate();
      await advance((pause - 1) * SECOND);
      expect(await source.get()).toBe('first');
      expect(requests, `no attempt before ${pause} s`).toHaveLength(index + 2);
      await advance(2 * SECOND);
    }
  });

  test('that returns the same token again, from a cache, also pauses before a new attempt', async () => {
    const { source, requests } = await sourceWithToken(HOUR, 10 * MINUTE);
    await advance(11 * MINUTE);
    await source.get();
    requests[1]?.resolve('first', 49 * MINUTE);
    await setImmediate();
    await source.get();
    expect(requests).toHaveLength(2);
  });

  test('that fails when the token expires, while no caller waits, causes no unhandled rejection', async () => {
    const unhandled = vi.fn<(reason: unknown) => void>();
    process.on('unhandledRejection', unhandled);
    const { source, requests } = await sourceWithToken(HOUR);
    await advance(59 * MINUTE);
    await source.get();
    await advance(MINUTE);
    requests[1]?.reject();
    await setImmediate();
    await setImmediate();
    process.off('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
    const next = source.get();
    requests[2]?.resolve('third', HOUR);
    expect(await next).toBe('third');
  });
});

describe('a token', () => {
  test('that expires in 20 s is not used any more', async () => {
    const { source, requests } = await sourceWithToken(HOUR);
    await advance(HOUR - 20 * SECOND);
    const next = source.get();
    requests[1]?.resolve('second', HOUR);
    expect(await next).toBe('second');
  });

  test('that has already expired when it arrives is rejected', async () => {
    const { source, requests } = makeSource();
    const waiting = source.get();
    requests[0]?.resolve('stale', -1);
    await expect(waiting).rejects.toMatchObject({
      code: 'identity_unavailable',
      detail: expect.stringContaining('expired'),
    });
  });

  test('that the model refused is discarded with its credential, but only if it is the current one', async () => {
    const { source, requests, credentials } = await sourceWithToken(HOUR);
    source.discard('another');
    expect(await source.get()).toBe('first');
    source.discard('first');
    const next = source.get();
    requests[1]?.resolve('second', HOUR);
    expect(await next).toBe('second');
    expect(credentials()).toBe(2);
  });

  test('that replaced a refused one and is refused, too, is kept for a minute: it is not the cause', async () => {
    const { source, requests } = await sourceWithToken(HOUR);
    source.discard('first');
    const second = source.get();
    requests[1]?.resolve('second', HOUR);
    await second;
    source.discard('second');
    expect(await source.get()).toBe('second');
    await advance(61 * SECOND);
    source.discard('second');
    void source.get();
    expect(requests).toHaveLength(3);
  });
});

/** A source that has already fetched the token `first`. */
async function sourceWithToken(lifetimeMs: number, refreshAfterMs?: number): Promise<MadeSource> {
  const made = makeSource();
  const first = made.source.get();
  made.requests[0]?.resolve('first', lifetimeMs, refreshAfterMs);
  await first;
  return made;
}
