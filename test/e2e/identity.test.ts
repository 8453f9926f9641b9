import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, type TestContext } from 'vitest';
import { type AzureOptions, type EmulatedAzure, startAzure } from '../../src/dev/emulator/azure.ts';
import { startEntra } from '../../src/dev/emulator/entra/entra.ts';
import { still } from '../images/still.ts';
import { some } from '../tier.ts';
import { type App, startApp, startBoth } from './app.ts';
import { type Asked, ask } from './ask.ts';

/** What users have set from elsewhere, and what must change nothing. */
const STRAY = {
  AZURE_OPENAI_API_KEY: 'stray-azure-key',
  OPENAI_API_KEY: 'stray-key',
  OPENAI_BASE_URL: 'http://127.0.0.1:9/stray-base',
  OPENAI_ORG_ID: 'stray-org',
  OPENAI_CUSTOM_HEADERS: 'Authorization: Bearer stray-header',
};

interface Broken extends AzureOptions {
  readonly breaking?: (azure: EmulatedAzure) => Promise<void> | void;
}

/** The other tests run without stray variables, so in these they are the first choice. */
const SETS = some(
  [
    { variables: 'stray ones', stray: STRAY },
    { variables: 'none but its own', stray: {} },
  ],
  2,
);

const image = await still('image/png', 8, 8);

// These mostly wait.
describe.concurrent.each(SETS)('the identity endpoint, with $variables set, in time', ({ stray }) => {
  test('down at the start, then up', async (context) => {
    const { app } = await both(
      context,
      { ...stray, REQUEST_TIMEOUT_SECONDS: '1' },
      { breaking: ({ identity }) => identity.fail({ breakOff: 'before-headers' }, 2) },
    );
    const down = await ask(app.url, image);
    expectNoIdentity(down);
    await expect.poll(async () => (await ask(app.url, image)).status, { timeout: 8_000 }).toBe(200);
    expect(app.alive()).toBe(true);
  });

  test('500 twice, then fine, is seen by nobody', async (context) => {
    const { app, azure } = await both(context, stray, {
      breaking: ({ identity }) => identity.fail({ status: 500 }, 2),
    });
    expect((await ask(app.url, image)).status).toBe(200);
    expect(azure.identity.requests).toHaveLength(3);
    expect(app.alive()).toBe(true);
  });

  test('a token that comes too late for its request serves the next', async (context) => {
    const { app, azure } = await both(
      context,
      { ...stray, REQUEST_TIMEOUT_SECONDS: '1' },
      { breaking: ({ identity }) => identity.fail({ delayMs: 2_500 }) },
    );
    expectNoIdentity(await ask(app.url, image));
    await sleep(1_500);
    expect((await ask(app.url, image)).status).toBe(200);
    expect(azure.identity.requests).toHaveLength(1);
  });

  test('a refresh that fails at the moment of expiry, with nobody waiting, ends nothing', async (context) => {
    const { app, azure } = await both(context, stray, { tokenSeconds: 16 });
    expect((await ask(app.url, image)).status).toBe(200);
    azure.identity.fail({ status: 400, delayMs: 6_400 });
    await sleep(9_600);
    expect((await ask(app.url, image)).status, 'served by the old token, while the next is fetched').toBe(200);
    expect(azure.identity.requests).toHaveLength(2);
    await sleep(7_600);
    expect(app.alive()).toBe(true);
    expect((await ask(app.url, image)).status, 'with a third').toBe(200);
    expect(azure.identity.requests).toHaveLength(3);
  });
});

describe.each(SETS)('the identity endpoint, with $variables set', ({ stray }) => {
  test('100 requests at once on a cold start fetch one token', async (context) => {
    const { app, azure } = await both(context, stray);
    const answers = await Promise.all(Array.from({ length: 100 }, async () => ask(app.url, image)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(azure.identity.requests).toHaveLength(1);
    expect(app.alive()).toBe(true);
  });

  const slow = [
    { what: 'that says nothing', fault: { silent: true } },
    { what: 'that is slow by 30 s', fault: { delayMs: 30_000 } },
  ];
  test.for(some(slow, 2))(
    '$what fails a hundred requests within their deadline, with one fetch',
    async ({ fault }, context) => {
      const { app, azure } = await both(
        context,
        { ...stray, REQUEST_TIMEOUT_SECONDS: '2' },
        { breaking: ({ identity }) => identity.fail(fault, Infinity) },
      );
      const started = performance.now();
      const answers = await Promise.all(Array.from({ length: 100 }, async () => ask(app.url, image)));
      expect(performance.now() - started).toBeLessThan(5_000);
      for (const answer of answers) expectNoIdentity(answer);
      expect(answers[0]?.json()).toMatchObject({
        attempts: [{ credential: 'ManagedIdentityCredential', said: 'no answer in time' }],
      });
      expect(azure.identity.requests).toHaveLength(1);
      expect(app.alive()).toBe(true);
    },
  );

  test('an expired token served is no token, and never reaches the model', async (context) => {
    const { app, azure } = await both(context, stray, { breaking: async (each) => serveExpired(each, -60) });
    const expired = await ask(app.url, image);
    expectNoIdentity(expired);
    expect(expired.json()['detail']).toContain('expired');
    expect(azure.model.requests).toEqual([]);
    azure.reset();
    expect((await ask(app.url, image)).status).toBe(200);
    expect(app.alive()).toBe(true);
  });

  test('an expired token that says it is fresh is told as what it is', async (context) => {
    const { app } = await both(context, stray, { breaking: async (each) => serveExpired(each, 3_600) });
    const refused = await ask(app.url, image);
    expect(refused.json()).toMatchObject({
      status: 502,
      code: 'model_access_denied',
      reason: 'token',
      identity: { expires: expect.any(String) },
    });
    expect(refused.text).not.toContain('eyJ');
    expect(app.alive()).toBe(true);
  });
});

describe('a key of Entra that is rotated', () => {
  test('refuses one request, and the next has a token of the new key', async (context) => {
    const { azure, app } = await bothWithSecret(context);
    expect((await ask(app.url, image)).status).toBe(200);
    await azure.authority.rotateKey();
    expect((await ask(app.url, image)).json()).toMatchObject({ code: 'model_access_denied', reason: 'token' });
    expect((await ask(app.url, image)).status).toBe(200);
    expect(app.alive()).toBe(true);
  });

  test("leaves a managed identity with the library's own copy, told as what it is", async (context) => {
    const { azure, app } = await both(context, {});
    expect((await ask(app.url, image)).status).toBe(200);
    await azure.authority.rotateKey();
    expect((await ask(app.url, image)).json()).toMatchObject({ code: 'model_access_denied', reason: 'token' });
    expect(app.alive()).toBe(true);
  });
});

describe('the role', () => {
  let app: App;
  let azure: EmulatedAzure;
  beforeAll(async () => ({ app, azure } = await startBoth()));
  afterAll(async () => {
    await app.stop();
    azure.close();
  });

  test('taken away is told with who lacks it on what, and the command; given back, it works', async () => {
    azure.setRole(false);
    const denied = await ask(app.url, image);
    const objectId = '00000000-0000-4000-8000-000000000002';
    expect(denied.json()).toMatchObject({
      status: 502,
      code: 'model_access_denied',
      reason: 'role',
      role: 'Cognitive Services OpenAI User',
      resource: '127.0.0.1',
      upstreamStatus: 401,
      identity: {
        tenant: '00000000-0000-4000-8000-000000000001',
        objectId,
        audience: 'https://cognitiveservices.azure.com',
      },
    });
    expect(denied.json()['detail']).toContain(
      `az role assignment create --role 'Cognitive Services OpenAI User' --assignee ${objectId}`,
    );
    expect(denied.json()['detail']).toContain('5 to 10 minutes');
    azure.setRole(true);
    expect((await ask(app.url, image)).status).toBe(200);
    expect(azure.identity.requests, 'the token was good').toHaveLength(1);
  });

  test.each([
    {
      status: 403,
      code: 'AccessDenied',
      message: 'Access denied due to Virtual Network/Firewall rules.',
      reason: 'network',
      words: 'Networking',
    },
    {
      status: 403,
      code: '403',
      message: 'Public access is disabled. Please configure private endpoint.',
      reason: 'network',
      words: 'private endpoint',
    },
    {
      status: 400,
      code: 'Tenant provided in token does not match resource token',
      message: 'Token tenant secret-name does not match resource tenant.',
      reason: 'tenant',
      words: 'az login --tenant',
    },
    {
      status: 401,
      code: 'PermissionDenied',
      message: 'Principal does not have access to API/Operation.',
      reason: 'role',
      words: 'az role assignment create',
    },
    {
      status: 403,
      code: 'AuthenticationTypeDisabled',
      message: 'Key based authentication is disabled for this resource.',
      reason: 'key-disabled',
      words: 'az login',
    },
  ])('is not blamed for all: $status $message', async ({ status, code, message, reason, words }) => {
    azure.model.fail({ status, body: { error: { code, message } } });
    const denied = await ask(app.url, image);
    expect(denied.json()).toMatchObject({
      status: 502,
      code: 'model_access_denied',
      reason,
      detail: expect.stringContaining(words),
    });
    expect(denied.text).not.toContain('secret-name');
  });
});

test('in a sovereign cloud, the token is asked for that cloud', async (context) => {
  const audience = 'https://cognitiveservices.azure.us';
  const { azure, app } = await both(context, { AZURE_OPENAI_SCOPE: `${audience}/.default` }, { audience });
  expect((await ask(app.url, image)).status).toBe(200);
  expect(azure.identity.requests[0]?.query.get('resource')).toBe(audience);
});

/** What is broken, is broken before the app starts: it fetches its first token ahead of the first request. */
async function both(
  { onTestFinished }: TestContext,
  env: Record<string, string>,
  { breaking, ...options }: Broken = {},
): Promise<{ app: App; azure: EmulatedAzure }> {
  const azure = await startAzure({ record: true, ...options });
  await breaking?.(azure);
  const started = { azure, app: await startApp({ ...azure.env, ...env }) };
  onTestFinished(() => started.azure.close());
  onTestFinished(async () => started.app.stop());
  return started;
}

async function bothWithSecret({ onTestFinished }: TestContext): Promise<{ app: App; azure: EmulatedAzure }> {
  const azure = await startAzure({ record: true });
  const entra = await startEntra(azure.authority);
  const { clientId, secret } = entra.application;
  const app = await startApp({
    ...azure.env,
    ...entra.env,
    AZURE_TOKEN_CREDENTIALS: 'EnvironmentCredential',
    AZURE_CLIENT_ID: clientId,
    AZURE_CLIENT_SECRET: secret,
  });
  onTestFinished(() => azure.close());
  onTestFinished(async () => entra.close());
  onTestFinished(async () => app.stop());
  return { app, azure };
}

/** Serves a token that has expired, and says that it has `seconds` left. */
async function serveExpired({ authority, identity }: EmulatedAzure, seconds: number): Promise<void> {
  const { token } = await authority.issue('https://cognitiveservices.azure.com', { lifetimeSeconds: -60 });
  const expiresOn = String(Math.floor(Date.now() / 1000) + seconds);
  identity.fail(
    { body: { access_token: token, expires_on: expiresOn, resource: 'x', token_type: 'Bearer' } },
    Infinity,
  );
}

function expectNoIdentity(answer: Asked): void {
  expect(answer.status).toBe(503);
  expect(answer.json()).toMatchObject({ code: 'identity_unavailable', credentials: ['ManagedIdentityCredential'] });
}
