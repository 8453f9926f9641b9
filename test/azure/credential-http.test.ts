import { createServer } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createIdentity } from '../../src/azure/identity.ts';
import { readSettings } from '../../src/config/settings.ts';
import { type EmulatedAzure, startAzure } from '../../src/dev/emulator/azure.ts';
import { listen } from '../../src/dev/start/listen.ts';

let azure: EmulatedAzure;
let scopes = 0;
beforeAll(async () => void (azure = await startAzure({ record: true })));
afterEach(() => {
  vi.unstubAllEnvs();
  azure.reset();
});
afterAll(() => azure.close());

/** Gets a token, each time for a new scope, because the library caches tokens. */
async function token(env: Record<string, string> = {}): Promise<string | undefined> {
  const variables = { ...azure.env, AZURE_OPENAI_SCOPE: `https://scope-${(scopes += 1)}.example/.default`, ...env };
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  return createIdentity(readSettings(variables), variables)?.get();
}

describe('a token whose expires_on is a date', () => {
  const inAnHour = new Date(Math.floor(Date.now() / 1000) * 1000 + 3_600_000);
  test.each([
    ['in ISO 8601', inAnHour.toISOString()],
    ['in the format of HTTP', inAnHour.toUTCString()],
    ['in American format', `${inAnHour.toLocaleString('en-US', { timeZone: 'UTC' })} +00:00`],
    [
      'in American format with both 24 hours and PM',
      `${inAnHour.toLocaleString('en-US', { timeZone: 'UTC', hour12: false }).replace(',', '')} PM +00:00`,
    ],
  ])('is accepted: %s', async (_, expiresOn) => {
    const issued = await azure.authority.issue('https://x.example', { lifetimeSeconds: 3600 });
    azure.identity.fail({ body: { access_token: issued.token, expires_on: expiresOn, token_type: 'Bearer' } });
    expect(await token()).toBe(issued.token);
  });

  test('that cannot be parsed is rejected with a problem that says so', async () => {
    const body = { access_token: 'opaque', expires_on: 'tomorrow', resource: 'x', token_type: 'Bearer' };
    azure.identity.fail({ body }, Infinity);
    await expect(token()).rejects.toMatchObject({
      detail: expect.stringContaining('does not say when the token expires'),
    });
  });
});

test.each(['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'http_proxy'])(
  'sends no request to the identity endpoint through %s',
  async (name) => {
    const proxied: (string | undefined)[] = [];
    const proxy = createServer((request, response) => {
      proxied.push(request.url);
      response.writeHead(503).end();
    });
    const url = `http://127.0.0.1:${await listen(proxy, 0)}`;
    onTestFinished(() => void proxy.close());
    expect(await token({ [name]: url, NO_PROXY: '', no_proxy: '' })).toMatch(/^eyJ/);
    expect(proxied).toEqual([]);
  },
);

test('trims AZURE_CLIENT_ID', async () => {
  expect(await token({ AZURE_CLIENT_ID: ' 00000000-0000-4000-8000-0000000000aa\r\n' })).toMatch(/^eyJ/);
  expect(azure.identity.requests[0]?.query.get('client_id')).toBe('00000000-0000-4000-8000-0000000000aa');
});

test.each(['AZURE_CLIENT_ID', 'AZURE_TENANT_ID', 'AZURE_CLIENT_SECRET', 'AZURE_AUTHORITY_HOST'])(
  'readSettings rejects %s in quotes, without repeating its value',
  (name) => {
    for (const quote of ['"', "'"]) {
      const read = () => readSettings({ ...azure.env, [name]: ` ${quote}value${quote} ` });
      expect(read).toThrow(`${name} must not be in quotes`);
      expect(read).not.toThrow('value');
    }
  },
);
