import { generateKeyPairSync } from 'node:crypto';
import { createServer, type Server } from 'node:https';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { makeServerCertificate } from '../../src/dev/emulator/entra/certificates.ts';
import { listen } from '../../src/dev/start/listen.ts';
import { AuthorityUnreachable, PublishedKeys } from '../../src/server/published-keys.ts';

const DAY_MS = 24 * 60 * 60_000;
const TOKEN = { payload: '', signature: '' };
const [old, renewed] = ['old', 'renewed'].map((kid) => {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return Object.assign(publicKey.export({ format: 'jwk' }), { kid, alg: 'RS256', use: 'sig' });
});

/** An answer of the authority. While a page is undefined, the authority does not answer requests for it. */
interface Page {
  readonly status?: number;
  readonly body: unknown;
}

let authority: Server;
let tenant: string;
let configuration: Page | undefined;
let keys: Page | undefined;
let fetched: string[] = [];

beforeAll(async () => {
  const { ca, server } = await makeServerCertificate();
  const before = getCACertificates();
  setDefaultCACertificates([...before, ca]);
  authority = createServer(server, (request, response) => {
    const isKeys = request.url === '/tenant/keys';
    fetched.push(isKeys ? 'keys' : 'configuration');
    const page = isKeys ? keys : configuration;
    if (page)
      response.writeHead(page.status ?? 200).end(typeof page.body === 'string' ? page.body : JSON.stringify(page.body));
  });
  tenant = `https://127.0.0.1:${await listen(authority, 0)}/tenant`;
  return () => setDefaultCACertificates(before);
});
afterAll(() => {
  authority.close();
  authority.closeAllConnections();
});
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
  fetched = [];
  configuration = { body: { issuer: `${tenant}/v2.0`, jwks_uri: `${tenant}/keys` } };
  keys = { body: { keys: [old] } };
});
afterEach(() => {
  vi.useRealTimers();
});

async function find(published: PublishedKeys, kid: string): Promise<unknown> {
  return published.find({ alg: 'RS256', kid }, TOKEN);
}

test('concurrent callers share one fetch', async () => {
  const published = new PublishedKeys(tenant);
  await Promise.all([published.issuer(), find(published, 'old'), find(published, 'old')]);
  expect(await published.issuer()).toBe(`${tenant}/v2.0`);
  expect(fetched).toEqual(['configuration', 'keys']);
});

describe('keys that are a day old', () => {
  test('are used without waiting until new ones are fetched, which then replace them', async () => {
    const published = new PublishedKeys(tenant);
    await find(published, 'old');
    vi.advanceTimersByTime(DAY_MS - 1);
    await find(published, 'old');
    expect(fetched).toHaveLength(2);

    // The authority accepts the request but does not answer. No caller waits for it.
    const page = configuration;
    configuration = undefined;
    vi.advanceTimersByTime(1);
    await find(published, 'old');
    await find(published, 'old');
    await vi.waitFor(() => expect(fetched).toHaveLength(3));

    configuration = page;
    keys = { body: { keys: [renewed] } };
    authority.closeAllConnections();
    await vi.waitFor(() => expect(fetched.at(-1)).toBe('keys'), 10_000);
    await vi.waitFor(async () => find(published, 'renewed'), 10_000);
    await expect(find(published, 'old')).rejects.toThrow('no applicable key');
  });

  test('stay in use if the authority fails, and are fetched again after a minute', async () => {
    const published = new PublishedKeys(tenant);
    await find(published, 'old');
    configuration = { status: 404, body: '' };
    vi.advanceTimersByTime(DAY_MS);
    for (let round = 0; round < 3; round += 1) await find(published, 'old');
    await vi.waitFor(() => expect(fetched).toHaveLength(3));
    vi.advanceTimersByTime(59_999);
    await find(published, 'old');
    expect(fetched).toHaveLength(3);
    vi.advanceTimersByTime(1);
    await find(published, 'old');
    await vi.waitFor(() => expect(fetched).toHaveLength(4));
  });
});

describe('throws AuthorityUnreachable and says what happened if the authority sends', () => {
  const unexpected = 'did not answer with what a tenant publishes';
  test.each([
    ['text that is not JSON', () => (configuration = { body: '<html>' }), `openid-configuration ${unexpected}`],
    [
      'a configuration without issuer',
      () => (configuration = { body: { jwks_uri: `${tenant}/keys` } }),
      `openid-configuration ${unexpected}`,
    ],
    [
      'a configuration without jwks_uri',
      () => (configuration = { body: { issuer: 'x' } }),
      `openid-configuration ${unexpected}`,
    ],
    [
      'a jwks_uri that is not https',
      () => (configuration = { body: { issuer: 'x', jwks_uri: `${tenant}/keys`.replace('https', 'http') } }),
      `openid-configuration ${unexpected}`,
    ],
    [
      'a jwks_uri that is not an absolute URL',
      () => (configuration = { body: { issuer: 'x', jwks_uri: '/keys' } }),
      `openid-configuration ${unexpected}`,
    ],
    ['a key set without keys', () => (keys = { body: {} }), `/keys ${unexpected}`],
    ['a key set whose keys are strings', () => (keys = { body: { keys: ['old'] } }), `/keys ${unexpected}`],
    [
      '404 for the configuration',
      () => (configuration = { ...configuration, status: 404, body: '' }),
      'openid-configuration answered 404',
    ],
    ['203 for the keys', () => (keys = { status: 203, body: { keys: [old] } }), '/keys answered 203'],
    [
      'a redirect for the configuration',
      () => (configuration = { status: 302, body: '' }),
      'openid-configuration answered 302',
    ],
  ])('%s', async (_, publish, message) => {
    publish();
    const failure = await find(new PublishedKeys(tenant), 'old').catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(AuthorityUnreachable);
    expect(failure).toMatchObject({ said: expect.stringContaining(message) });
  });
});
