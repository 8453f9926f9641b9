import { createDefaultHttpClient, createPipelineFromOptions, createPipelineRequest } from '@azure/core-rest-pipeline';
import { createLocalJWKSet, errors, type FlattenedJWSInput, type JWSHeaderParameters } from 'jose';
import * as v from 'valibot';
import { jsonObject, parseJson } from '../config/json-object.ts';

/** Timeout of one request to the authority, in milliseconds. The first caller waits for it. */
const TIMEOUT_MS = 5_000;
/**
 * How long keys are used before they are fetched again, in milliseconds. Entra's own libraries fetch them once a day.
 */
const MAX_AGE_MS = 24 * 60 * 60_000;
/** How long to wait before a failed fetch is tried again, in milliseconds. */
const RETRY_MS = 60_000;
/** How long to wait before another unknown key id causes a fetch, in milliseconds. Anybody can send unknown key ids. */
const UNKNOWN_MS = 60_000;

const Configuration = jsonObject({ issuer: v.string(), jwks_uri: v.string() });
const KeySet = v.looseObject({ keys: v.array(v.looseObject({ kty: v.string() })) });

/** The issuer and the keys that a tenant publishes for its tokens. */
interface Published {
  /** The issuer of version 2 tokens. */
  readonly issuer: string;
  readonly keys: ReturnType<typeof createLocalJWKSet>;
}

/** The authority did not answer with its keys. */
export class AuthorityUnreachable extends Error {
  /** What happened, in words that a caller may see. */
  readonly said: string;

  constructor(said: string, cause?: unknown) {
    super(said, { cause });
    this.name = 'AuthorityUnreachable';
    this.said = said;
  }
}

/**
 * The keys with which a tenant signs its tokens. They are fetched at the first token, through the proxy of the
 * environment. If the authority is unreachable later, the known keys stay in use.
 */
export class PublishedKeys {
  readonly #configurationUrl: string;
  #published: Published | undefined;
  /**
   * When to fetch the keys again, and when the last fetch for an unknown key id began, in milliseconds of the monotonic
   * clock.
   */
  #renewAt = Infinity;
  #unknownAt = -Infinity;
  /** The error of the last fetch, if it failed. */
  #failure: unknown;
  #fetching: Promise<Published> | undefined;

  /** @param tenant - the URL of a tenant at its authority, without a slash at the end */
  constructor(tenant: string) {
    this.#configurationUrl = `${tenant}/v2.0/.well-known/openid-configuration`;
  }

  /**
   * Returns the issuer of the tenant's version 2 tokens.
   * @throws {AuthorityUnreachable} if it is not known and cannot be fetched
   */
  async issuer(): Promise<string> {
    return (await this.#current()).issuer;
  }

  /**
   * Finds the key of a token.
   * @throws {AuthorityUnreachable} if the key is not known, and new keys cannot be fetched
   * @throws {errors.JWKSNoMatchingKey} if the tenant has no such key
   */
  readonly find = async (header: JWSHeaderParameters, token: FlattenedJWSInput): ReturnType<Published['keys']> => {
    const { keys } = await this.#current();
    try {
      return await keys(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      const now = performance.now();
      if (now - this.#unknownAt < UNKNOWN_MS) throw this.#failure ?? error;
      this.#unknownAt = now;
      return (await this.#fetch()).keys(header, token);
    }
  };

  /**
   * Returns the known keys. Only the first call waits for them. Later, they are renewed in the background. If that
   * fails, it is tried again a minute later.
   */
  async #current(): Promise<Published> {
    if (!this.#published) return this.#fetch();
    const now = performance.now();
    if (now >= this.#renewAt) {
      this.#renewAt = now + RETRY_MS;
      // #fetch() keeps the failure for callers whose key is unknown.
      this.#fetch().catch(() => {});
    }
    return this.#published;
  }

  /** Fetches the keys. Concurrent calls share one fetch. */
  async #fetch(): Promise<Published> {
    this.#fetching ??= fetchPublished(this.#configurationUrl)
      .then((published) => {
        this.#published = published;
        this.#renewAt = performance.now() + MAX_AGE_MS;
        this.#failure = undefined;
        return published;
      })
      .catch((error: unknown) => {
        this.#failure = error;
        throw error;
      })
      .finally(() => {
        this.#fetching = undefined;
      });
    return this.#fetching;
  }
}

async function fetchPublished(configurationUrl: string): Promise<Published> {
  const configuration = await fetchJson(configurationUrl);
  if (!v.is(Configuration, configuration)) throw unexpectedAnswer(configurationUrl);
  const { issuer, jwks_uri: keysUrl } = configuration;
  if (URL.parse(keysUrl)?.protocol !== 'https:') throw unexpectedAnswer(configurationUrl);
  const keys = await fetchJson(keysUrl);
  if (!v.is(KeySet, keys)) throw unexpectedAnswer(keysUrl);
  return { issuer, keys: createLocalJWKSet(keys) };
}

function unexpectedAnswer(url: string): AuthorityUnreachable {
  return new AuthorityUnreachable(`${url} did not answer with what a tenant publishes`);
}

async function fetchJson(url: string): Promise<unknown> {
  const pipeline = createPipelineFromOptions({ retryOptions: { maxRetries: 1 }, redirectOptions: { maxRetries: 0 } });
  const request = createPipelineRequest({ url, timeout: TIMEOUT_MS });
  let response;
  try {
    response = await pipeline.sendRequest(createDefaultHttpClient(), request);
  } catch (error) {
    throw new AuthorityUnreachable(`${url} could not be reached`, error);
  }
  if (response.status !== 200) throw new AuthorityUnreachable(`${url} answered ${response.status}`);
  return parseJson(response.bodyAsText ?? '');
}
