import type { AccessToken, TokenCredential } from '@azure/identity';
import type { Problem } from '../http/problem.ts';

/** How long a caller waits for a token. The library needs 20 s to give up on an identity endpoint that answers 500. */
const PATIENCE_MS = 40_000;
/**
 * How long before its expiry a token is renewed, unless its issuer gives a time. A token with a shorter life than twice
 * this is renewed after half of its life.
 */
const RENEW_BEFORE_MS = 5 * 60_000;
/**
 * How long before its expiry a token is no longer used, so that it is still valid when the model checks it. A token
 * with a very short life is used for three quarters of it.
 */
const TOO_OLD_BEFORE_MS = 30_000;
/** The pause after a failed renewal while the old token is still valid. It doubles with each failure. */
const FIRST_RENEWAL_PAUSE_MS = 30_000;
const LONGEST_RENEWAL_PAUSE_MS = 5 * 60_000;

/** The least time between two discarded tokens. Soon after a refusal, a new token would also be refused. */
const DISCARD_PAUSE_MS = 60_000;

/** No credential returned a token in time. */
export class NoTokenInTime extends Error {
  constructor() {
    super('no credential answered in time');
    this.name = 'NoTokenInTime';
  }
}

/** A credential returned a token that has expired, or this machine's clock is wrong. */
export class ExpiredToken extends Error {
  constructor() {
    super('the credential returned an expired token');
    this.name = 'ExpiredToken';
  }
}

/** The options of a token source. */
export interface TokenSourceOptions {
  /** Makes the credential. Called again after the model refused a token, because credentials cache their tokens. */
  readonly create: () => TokenCredential;
  readonly scope: string;
  /** After this many milliseconds, a fetch counts as hung, and later callers start another one. */
  readonly hangsAfterMs: number;
  /** Makes the problem that says why there is no token. */
  readonly explain: (cause: unknown) => Promise<Problem>;
}

interface HeldToken extends AccessToken {
  /** Milliseconds since the epoch. */
  readonly usableUntil: number;
}

interface Fetch {
  readonly token: Promise<AccessToken>;
  readonly startedAt: number;
}

/**
 * Bearer tokens for one scope. All waiting requests share one fetch. A token is renewed in the background before it
 * expires. A fetch goes on after its callers have stopped waiting, so that a late token serves the next request.
 *
 * It replaces `getBearerTokenProvider` of `@azure/identity`. If the background refresh of that function fails at
 * expiry, it causes an unhandled rejection, which ends a Functions worker with all its requests.
 */
export class TokenSource {
  readonly #options: TokenSourceOptions;
  #credential: TokenCredential | undefined;
  #token: HeldToken | undefined;
  #fetch: Fetch | undefined;
  #renewAt = 0;
  #renewalPause = FIRST_RENEWAL_PAUSE_MS;
  #discardAgainAt = 0;

  constructor(options: TokenSourceOptions) {
    this.#options = options;
  }

  /**
   * Returns a valid token: at once if it has one, otherwise when it is fetched.
   * @throws {Problem} `identity_unavailable` if no token comes within 40 s
   */
  async get(): Promise<string> {
    const held = this.#token;
    const now = Date.now();
    if (!held || now > held.usableUntil) return (await this.#withTimeout(this.#fetchOnce())).token;
    if (now > this.#renewAt && !this.#fetch) void this.#renew(held);
    return held.token;
  }

  /** Makes the problem for a caller who has stopped waiting for a token. */
  async onTokenTimeout(): Promise<Problem> {
    return this.#options.explain(new NoTokenInTime());
  }

  /**
   * Discards a token that the model refused, so that the next call fetches a new one. It does nothing if there is
   * another token by now, or if one was discarded in the last minute: if a new token is refused, too, the token is not
   * the cause.
   */
  discard(token: string): void {
    const now = Date.now();
    if (this.#token?.token !== token || now < this.#discardAgainAt) return;
    this.#discardAgainAt = now + DISCARD_PAUSE_MS;
    this.#token = undefined;
    this.#credential = undefined;
  }

  async #renew(held: AccessToken): Promise<void> {
    try {
      const renewed = await this.#fetchOnce();
      // A credential with a cache may return the same token again. That counts as a failed renewal.
      if (renewed.expiresOnTimestamp > held.expiresOnTimestamp) return;
    } catch {
      // The old token is still valid.
    }
    this.#renewAt = Date.now() + this.#renewalPause;
    this.#renewalPause = Math.min(this.#renewalPause * 2, LONGEST_RENEWAL_PAUSE_MS);
  }

  #fetchOnce(): Promise<AccessToken> {
    if (this.#fetch && Date.now() - this.#fetch.startedAt < this.#options.hangsAfterMs) return this.#fetch.token;
    const fetch = { token: this.#request(), startedAt: Date.now() };
    this.#fetch = fetch;
    void this.#settled(fetch);
    return fetch.token;
  }

  /** Handles the rejection even if no caller is waiting any more: an unhandled one would end the process. */
  async #settled(fetch: Fetch): Promise<void> {
    await Promise.allSettled([fetch.token]);
    if (this.#fetch === fetch) this.#fetch = undefined;
  }

  async #request(): Promise<AccessToken> {
    try {
      this.#credential ??= this.#options.create();
      const token = await this.#credential.getToken(this.#options.scope);
      if (!token) throw new Error('the credential returned no token');
      if (token.expiresOnTimestamp <= Date.now()) throw new ExpiredToken();
      this.#hold(token);
      return token;
    } catch (error) {
      throw await this.#options.explain(error);
    }
  }

  /** Keeps a token, unless the one it has expires later: a fetch that hung may end after a newer one. */
  #hold(token: AccessToken): void {
    if (this.#token && this.#token.expiresOnTimestamp >= token.expiresOnTimestamp) return;
    const { expiresOnTimestamp: expires, refreshAfterTimestamp } = token;
    const life = expires - Date.now();
    this.#token = { ...token, usableUntil: expires - Math.min(TOO_OLD_BEFORE_MS, life / 4) };
    this.#renewAt = refreshAfterTimestamp ?? expires - Math.min(RENEW_BEFORE_MS, life / 2);
    this.#renewalPause = FIRST_RENEWAL_PAUSE_MS;
  }

  async #withTimeout<T>(work: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => void this.onTokenTimeout().then(reject, reject), PATIENCE_MS);
    });
    return Promise.race([work, late]).finally(() => clearTimeout(timer));
  }
}
