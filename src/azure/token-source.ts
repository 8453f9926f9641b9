import type { AccessToken, TokenCredential } from '@azure/identity';
import { identityUnavailable } from './identity-failure.ts';

/** A fetch that takes longer is given up: the endpoint of a managed identity that answers 500 takes 20 s to fail. */
const FETCH_TIMEOUT_MS = 30_000;
/** A token is renewed this long before it expires, unless its issuer names a time. */
const RENEW_BEFORE_MS = 5 * 60_000;
/** Not handed out in its last moments: it has to live until the model has checked it. */
const TOO_OLD_BEFORE_MS = 30_000;
/** After a renewal that failed while the old token lives, the next one waits this long. */
const RENEW_AGAIN_MS = 30_000;

/**
 * Bearer tokens for the model: one fetch for any number of waiting requests, renewed ahead of expiry, in the
 * background while the old token lives.
 *
 * It stands in for `getBearerTokenProvider` of `@azure/identity`, whose background refresh is an unhandled rejection
 * when it fails at expiry, and that ends a Functions worker with every request in it.
 */
export class TokenSource {
  readonly #credential: TokenCredential;
  readonly #scope: string;
  #token: AccessToken | undefined;
  #pending: Promise<AccessToken> | undefined;
  #renewAt = 0;

  constructor(credential: TokenCredential, scope: string) {
    this.#credential = credential;
    this.#scope = scope;
  }

  /**
   * A token that is valid now; at once where one is held.
   * @throws {Problem} `identity_unavailable`
   */
  async get(): Promise<string> {
    const held = this.#token;
    const now = Date.now();
    if (!held || now > held.expiresOnTimestamp - TOO_OLD_BEFORE_MS) return (await this.#fetch()).token;
    if (now > this.#renewAt) {
      this.#renewAt = now + RENEW_AGAIN_MS;
      this.#fetch().catch(() => undefined); // the held token still serves; the next attempt comes by itself
    }
    return held.token;
  }

  #fetch(): Promise<AccessToken> {
    this.#pending ??= this.#request().finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  async #request(): Promise<AccessToken> {
    const signal = AbortSignal.timeout(FETCH_TIMEOUT_MS);
    // Not every credential listens to the signal: those that run a command-line tool wait for it.
    const expired = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    try {
      const token = await Promise.race([this.#credential.getToken(this.#scope, { abortSignal: signal }), expired]);
      if (!token) throw new Error('the credential returned no token');
      this.#token = token;
      this.#renewAt = token.refreshAfterTimestamp ?? token.expiresOnTimestamp - RENEW_BEFORE_MS;
      return token;
    } catch (error) {
      throw identityUnavailable(error);
    }
  }
}
