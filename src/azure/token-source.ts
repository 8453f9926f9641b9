import type { AccessToken, TokenCredential } from '@azure/identity';
import type { Problem } from '../http/problem.ts';

/** A caller waits no longer; a managed identity's endpoint that answers 500 takes the library 20 s to give up on. */
const PATIENCE_MS = 40_000;
/** A token is renewed this long before it expires, unless its issuer names a time; at the latest after half of its life. */
const RENEW_BEFORE_MS = 5 * 60_000;
/** Not handed out in its last moments, or the last quarter of a very short life: it has to live until the model has checked it. */
const TOO_OLD_BEFORE_MS = 30_000;
/** After a renewal that failed while the old token lives: the wait before the next, doubled each time. */
const FIRST_RENEWAL_PAUSE_MS = 30_000;
const LONGEST_RENEWAL_PAUSE_MS = 5 * 60_000;

/** A token that the model refused is thrown away at most this often: a new one would be refused as well, and costs a sign-in. */
const DISCARD_PAUSE_MS = 60_000;

/** The token did not come within the time there was. */
export class NoTokenInTime extends Error {
  constructor() {
    super('no credential answered in time');
    this.name = 'NoTokenInTime';
  }
}

/** A credential answered with a token that is of no use any more, or this machine's clock is wrong. */
export class ExpiredToken extends Error {
  constructor() {
    super('the token had expired when it came');
    this.name = 'ExpiredToken';
  }
}

/** Where tokens come from. */
export interface TokenSourceOptions {
  /** Makes the credential; called again after a token was refused, since credentials keep tokens of their own. */
  readonly create: () => TokenCredential;
  readonly scope: string;
  /** Milliseconds after which another fetch is begun beside one that hangs, for those who come then. */
  readonly hangsAfterMs: number;
  /** Says why there is no token. */
  readonly explain: (cause: unknown) => Promise<Problem>;
}

interface HeldToken extends AccessToken {
  readonly usableUntil: number;
}

interface Fetch {
  readonly token: Promise<AccessToken>;
  readonly startedAt: number;
}

/**
 * Bearer tokens for the model: one fetch for any number of waiting requests, renewed ahead of expiry, in the
 * background while the old token lives. A fetch outlives the patience of those who wait for it, so that what comes
 * late still serves the next.
 *
 * It stands in for `getBearerTokenProvider` of `@azure/identity`, whose background refresh is an unhandled rejection
 * when it fails at expiry, and that ends a Functions worker with every request in it.
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
   * A token that is valid now; at once where one is held.
   * @throws {Problem} `identity_unavailable`
   */
  async get(): Promise<string> {
    const held = this.#token;
    const now = Date.now();
    if (!held || now > held.usableUntil) return (await this.#patiently(this.#fetchOnce())).token;
    if (now > this.#renewAt && !this.#fetch) void this.#renew(held);
    return held.token;
  }

  /** Why there is no token, for who has stopped waiting for it. */
  async onTokenTimeout(): Promise<Problem> {
    return this.#options.explain(new NoTokenInTime());
  }

  /**
   * Forgets a token that the model refused, unless another has taken its place already, or one was forgotten a moment ago: if
   * a fresh token is refused as well, the fault is another.
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
      // A credential with a cache of its own may answer with the same token once more.
      if (renewed.expiresOnTimestamp > held.expiresOnTimestamp) return;
    } catch {
      // The held token still serves.
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

  /** Listens even when all who waited have left: a rejection that nobody hears ends the process. */
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

  /** A fetch that hung may end after a later one, with an older token. */
  #hold(token: AccessToken): void {
    if (this.#token && this.#token.expiresOnTimestamp >= token.expiresOnTimestamp) return;
    const { expiresOnTimestamp: expires, refreshAfterTimestamp } = token;
    const life = expires - Date.now();
    this.#token = { ...token, usableUntil: expires - Math.min(TOO_OLD_BEFORE_MS, life / 4) };
    this.#renewAt = refreshAfterTimestamp ?? expires - Math.min(RENEW_BEFORE_MS, life / 2);
    this.#renewalPause = FIRST_RENEWAL_PAUSE_MS;
  }

  async #patiently<T>(work: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => void this.onTokenTimeout().then(reject, reject), PATIENCE_MS);
    });
    return Promise.race([work, late]).finally(() => clearTimeout(timer));
  }
}
