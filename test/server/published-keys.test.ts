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

/** What the authority answers with; it does not answer if the page is undefined. */
interface Page {
  readonly status?: number;
  readonly body: unknown;
}

let authority: Server;
let tenant: string;
let configuration: Page | undefined;
let keys: Page | undefined;
let asked: string[] = [];

beforeAll(async () => {
  const { ca, server } = await makeServerCertificate();
  const before = getCACertificates();
  setDefaultCACertificates([...before, ca]);
  authority = createServer(server, (request, response) => {
    const isKeys = request.url === '/tenant/keys';
    asked.push(isKeys ? 'keys' : 'configuration');
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
  asked = [];
  configuration = { body: { issuer: `${tenant}/v2.0`, jwks_uri: `${tenant}/keys` } };
  keys = { body: { keys: [old] } };
});
afterEach(() => {
  vi.useRealTimers();
});

async function find(published: PublishedKeys, kid: string): Promise<unknown> {
  return published.find({ alg: 'RS256', kid }, TOKEN);
}

test('callers who come at once share one fetch', async () => {
  const published = new PublishedKeys(tenant);
  await Promise.all([published.issuer(), find(published, 'old'), find(published, 'old')]);
  expect(await published.issuer()).toBe(`${tenant}/v2.0`);
  expect(asked).toEqual(['configuration', 'keys']);
});

describe('keys that are a day old', () => {
  test('are used at once while newer ones are fetched, and then those are', async () => {
    const published = new PublishedKeys(tenant);
    await find(published, 'old');
    vi.advanceTimersByTime(DAY_MS - 1);
    await find(published, 'old');
    expect(asked).toHaveLength(2);

    // The authority takes the request and says nothing: nobody waits for it.
    const page = configuration;
    configuration = undefined;
    vi.advanceTimersByTime(1);
    await find(published, 'old');
    await find(published, 'old');
    await vi.waitFor(() => expect(asked).toHaveLength(3));

    configuration = page;
    keys = { body: { keys: [renewed] } };
    authority.closeAllConnections();
    await vi.waitFor(() => expect(asked.at(-1)).toBe('keys'), 10_000);
    await vi.waitFor(async () => find(published, 'renewed'), 10_000);
    await expect(find(published, 'old')).rejects.toThrow('no applicable key');
  });

  test('stay in use if the authority fails, which is asked again once a minute', async () => {
    const published = new PublishedKeys(tenant);
    await find(published, 'old');
    configuration = { status: 404, body: '' };
    vi.advanceTimersByTime(DAY_MS);
    for (let round = 0; round < 3; round += 1) await find(published, 'old');
    await vi.waitFor(() => expect(asked).toHaveLength(3));
    vi.advanceTimersByTime(59_999);
    await find(published, 'old');
    expect(asked).toHaveLength(3);
    vi.advanceTimersByTime(1);
    await find(published, 'old');
    await vi.waitFor(() => expect(asked).toHaveLength(4));
  });
});

describe('what is not what a tenant publishes is refused, and says which page it was', () => {
  const strange = 'did not answer with what a tenant publishes';
  test.each([
    ['no JSON', () => (configuration = { body: '<html>' }), `openid-configuration ${strange}`],
    ['no issuer', () => (configuration = { body: { jwks_uri: `${tenant}/keys` } }), `openid-configuration ${strange}`],
    ['no keys URL', () => (configuration = { body: { issuer: 'x' } }), `openid-configuration ${strange}`],
    [
      'a keys URL that is not https',
      () => (configuration = { body: { issuer: 'x', jwks_uri: `${tenant}/keys`.replace('https', 'http') } }),
      `openid-configuration ${strange}`,
    ],
    [
      'a keys URL that is no URL',
      () => (configuration = { body: { issuer: 'x', jwks_uri: '/keys' } }),
      `openid-configuration ${strange}`,
    ],
    ['a key set without keys', () => (keys = { body: {} }), `/keys ${strange}`],
    ['a key set whose keys are none', () => (keys = { body: { keys: ['old'] } }), `/keys ${strange}`],
    [
      'a configuration that is a 404',
      () => (configuration = { ...configuration, status: 404, body: '' }),
      'answered 404',
    ],
    ['keys with the status 203', () => (keys = { status: 203, body: { keys: [old] } }), '/keys answered 203'],
    ['a redirect', () => (configuration = { status: 302, body: '' }), 'openid-configuration answered 302'],
  ])('%s', async (_, publish, said) => {
    publish();
    const failure = await find(new PublishedKeys(tenant), 'old').catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(AuthorityUnreachable);
    expect(failure).toMatchObject({ said: expect.stringContaining(said) });
  });
});
