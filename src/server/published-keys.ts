import { createDefaultHttpClient, createPipelineFromOptions, createPipelineRequest } from '@azure/core-rest-pipeline';
import { createLocalJWKSet, errors, type FlattenedJWSInput, type JWSHeaderParameters } from 'jose';
import * as v from 'valibot';
import { jsonObject, parseJson } from '../config/json-object.ts';

/** For one request to the authority, in milliseconds; the first caller waits for it. */
const TIMEOUT_MS = 5_000;
/** How long keys are used before they are fetched again, in milliseconds. Entra's own libraries do so once a day. */
const MAX_AGE_MS = 24 * 60 * 60_000;
/** How long it takes until a fetch that failed is tried again, in milliseconds. */
const RETRY_MS = 60_000;
/** How long an unknown key id is believed to be unknown, in milliseconds. Anybody can send one. */
const UNKNOWN_MS = 60_000;

const Configuration = jsonObject({ issuer: v.string(), jwks_uri: v.string() });
const KeySet = v.looseObject({ keys: v.array(v.looseObject({ kty: v.string() })) });

/** What a tenant publishes about its tokens. */
interface Published {
  /** Of tokens of version 2. */
  readonly issuer: string;
  readonly keys: ReturnType<typeof createLocalJWKSet>;
}

/** The authority did not say which keys it signs with. */
export class AuthorityUnreachable extends Error {
  /** In words for people. */
  readonly said: string;

  constructor(said: string, cause?: unknown) {
    super(said, { cause });
    this.name = 'AuthorityUnreachable';
    this.said = said;
  }
}

/**
 * The keys that a tenant signs its tokens with. They are fetched when the first token comes, through the proxy that the
 * environment names. If the authority is unreachable later, the keys that are known stay in use.
 */
export class PublishedKeys {
  readonly #configurationUrl: string;
  #published: Published | undefined;
  /** When they are to be fetched again, and when a fetch for an unknown id began; milliseconds of the monotonic clock. */
  #renewAt = Infinity;
  #unknownAt = -Infinity;
  /** What the last fetch failed with. */
  #failure: unknown;
  #fetching: Promise<Published> | undefined;

  /** @param tenant - the address of a tenant at its authority */
  constructor(tenant: string) {
    this.#configurationUrl = `${tenant}/v2.0/.well-known/openid-configuration`;
  }

  /** The issuer of the tenant's tokens of version 2. */
  async issuer(): Promise<string> {
    return (await this.#current()).issuer;
  }

  /**
   * Finds the key of a token.
   * @throws {AuthorityUnreachable} if no key is known, or if the token's is unknown and new ones cannot be fetched
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

  /** What is known. Nobody waits for newer keys: they are fetched meanwhile, and if that fails, again a minute later. */
  async #current(): Promise<Published> {
    if (!this.#published) return this.#fetch();
    const now = performance.now();
    if (now >= this.#renewAt) {
      this.#renewAt = now + RETRY_MS;
      // The failure is kept for callers whose key is unknown.
      this.#fetch().catch(() => {});
    }
    return this.#published;
  }

  /** One fetch for all who wait for it. */
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
  if (!v.is(Configuration, configuration)) throw strange(configurationUrl);
  const { issuer, jwks_uri: keysUrl } = configuration;
  if (URL.parse(keysUrl)?.protocol !== 'https:') throw strange(configurationUrl);
  const keys = await fetchJson(keysUrl);
  if (!v.is(KeySet, keys)) throw strange(keysUrl);
  return { issuer, keys: createLocalJWKSet(keys) };
}

function strange(url: string): AuthorityUnreachable {
  return new AuthorityUnreachable(`${url} answered something else than what a tenant publishes`);
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
