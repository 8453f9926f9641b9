import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, type TestContext } from 'vitest';
import { type AzureOptions, type EmulatedAzure, startAzure } from '../../src/dev/emulator/azure.ts';
import { startEntra } from '../../src/dev/emulator/entra/entra.ts';
import { still } from '../images/still.ts';
import { some } from '../tier.ts';
import { type App, startApp, startBoth } from './app.ts';
import { type Asked, ask } from './ask.ts';

/** Variables of the SDKs that a user may have set for another program. They must have no effect. */
const STRAY = {
  AZURE_OPENAI_API_KEY: 'stray-azure-key',
  OPENAI_API_KEY: 'stray-key',
  OPENAI_BASE_URL: 'http://127.0.0.1:9/stray-base',
  OPENAI_ORG_ID: 'stray-org',
  OPENAI_CUSTOM_HEADERS: 'Authorization: Bearer stray-header',
};

interface Options extends AzureOptions {
  /** Is called before the app starts. */
  readonly prepare?: (azure: EmulatedAzure) => Promise<void> | void;
}

/** Stray variables come first: the quick run takes only the first set, and the other test files run without them. */
const SETS = some(
  [
    { variables: 'stray variables', stray: STRAY },
    { variables: 'only its own variables', stray: {} },
  ],
  2,
);

const image = await still('image/png', 8, 8);

// These tests are concurrent, because they mostly wait.
describe.concurrent.each(SETS)('an identity endpoint that fails or is slow, with $variables set', ({ stray }) => {
  test('requests get 503 while it is down at startup, and 200 when it is up', async (context) => {
    const { app } = await startPrepared(
      context,
      { ...stray, REQUEST_TIMEOUT_SECONDS: '1' },
      { prepare: ({ identity }) => identity.fail({ breakOff: 'before-headers' }, 2) },
    );
    const down = await ask(app.url, image);
    expectNoIdentity(down);
    await expect.poll(async () => (await ask(app.url, image)).status, { timeout: 8_000 }).toBe(200);
    expect(app.alive()).toBe(true);
  });

  test('two 500s are retried, and the request is answered with 200', async (context) => {
    const { app, azure } = await startPrepared(context, stray, {
      prepare: ({ identity }) => identity.fail({ status: 500 }, 2),
    });
    expect((await ask(app.url, image)).status).toBe(200);
    expect(azure.identity.requests).toHaveLength(3);
    expect(app.alive()).toBe(true);
  });

  test('a token that arrives after the deadline of its request is used for the next request', async (context) => {
    const { app, azure } = await startPrepared(
      context,
      { ...stray, REQUEST_TIMEOUT_SECONDS: '1' },
      { prepare: ({ identity }) => identity.fail({ delayMs: 2_500 }) },
    );
    expectNoIdentity(await ask(app.url, image));
    await sleep(1_500);
    expect((await ask(app.url, image)).status).toBe(200);
    expect(azure.identity.requests).toHaveLength(1);
  });

  test('the app survives a background renewal that fails when the token expires, and gets a new token later', async (context) => {
    const { app, azure } = await startPrepared(context, stray, { tokenSeconds: 16 });
    expect((await ask(app.url, image)).status).toBe(200);
    azure.identity.fail({ status: 400, delayMs: 6_400 });
    await sleep(9_600);
    expect((await ask(app.url, image)).status, 'the old token is used while a new one is fetched').toBe(200);
    expect(azure.identity.requests).toHaveLength(2);
    await sleep(7_600);
    expect(app.alive()).toBe(true);
    expect((await ask(app.url, image)).status, 'after a third request for a token').toBe(200);
    expect(azure.identity.requests).toHaveLength(3);
  });
});

describe.each(SETS)('the token, with $variables set', ({ stray }) => {
  test('is fetched once for 100 concurrent requests on a cold start', async (context) => {
    const { app, azure } = await startPrepared(context, stray);
    const answers = await Promise.all(Array.from({ length: 100 }, async () => ask(app.url, image)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(azure.identity.requests).toHaveLength(1);
    expect(app.alive()).toBe(true);
  });

  const slow = [
    { what: 'does not answer', fault: { silent: true } },
    { what: 'takes 30 s', fault: { delayMs: 30_000 } },
  ];
  test.for(some(slow, 2))(
    'is requested once, and 100 requests fail within 5 s, if the identity endpoint $what',
    async ({ fault }, context) => {
      const { app, azure } = await startPrepared(
        context,
        { ...stray, REQUEST_TIMEOUT_SECONDS: '2' },
        { prepare: ({ identity }) => identity.fail(fault, Infinity) },
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

  test('is not sent to the model if it has expired, and the next request gets a new one', async (context) => {
    const { app, azure } = await startPrepared(context, stray, { prepare: async (each) => serveExpired(each, -60) });
    const expired = await ask(app.url, image);
    expectNoIdentity(expired);
    expect(expired.json()['detail']).toContain('expired');
    expect(azure.model.requests).toEqual([]);
    azure.reset();
    expect((await ask(app.url, image)).status).toBe(200);
    expect(app.alive()).toBe(true);
  });

  test('is reported as the reason if it has expired, although the identity endpoint says that it is valid', async (context) => {
    const { app } = await startPrepared(context, stray, { prepare: async (each) => serveExpired(each, 3_600) });
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

describe('after Entra has rotated its signing key', () => {
  test('with a client secret, one request fails, and the next gets a token that is signed with the new key', async (context) => {
    const { azure, app } = await startWithSecret(context);
    expect((await ask(app.url, image)).status).toBe(200);
    await azure.authority.rotateKey();
    expect((await ask(app.url, image)).json()).toMatchObject({ code: 'model_access_denied', reason: 'token' });
    expect((await ask(app.url, image)).status).toBe(200);
    expect(app.alive()).toBe(true);
  });

  // Later requests are not checked, because the identity library may return its own copy of the old token.
  test('with a managed identity, a request fails, and the token is reported as the reason', async (context) => {
    const { azure, app } = await startPrepared(context, {});
    expect((await ask(app.url, image)).status).toBe(200);
    await azure.authority.rotateKey();
    expect((await ask(app.url, image)).json()).toMatchObject({ code: 'model_access_denied', reason: 'token' });
    expect(app.alive()).toBe(true);
  });
});

describe('access denied by the model', () => {
  let app: App;
  let azure: EmulatedAzure;
  beforeAll(async () => ({ app, azure } = await startBoth()));
  afterAll(async () => {
    await app.stop();
    azure.close();
  });

  test('without the role, the answer has the identity, the resource and the command; with the role, it is 200', async () => {
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
    expect(azure.identity.requests, 'the token is not fetched again').toHaveLength(1);
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
  ])('the reason is "$reason" after $status $message', async ({ status, code, message, reason, words }) => {
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

test('requests a token for a sovereign cloud if AZURE_OPENAI_SCOPE names it', async (context) => {
  const audience = 'https://cognitiveservices.azure.us';
  const { azure, app } = await startPrepared(context, { AZURE_OPENAI_SCOPE: `${audience}/.default` }, { audience });
  expect((await ask(app.url, image)).status).toBe(200);
  expect(azure.identity.requests[0]?.query.get('resource')).toBe(audience);
});

/** Starts an emulated Azure and the app. `prepare` is called first, because the app fetches a token at startup. */
async function startPrepared(
  { onTestFinished }: TestContext,
  env: Record<string, string>,
  { prepare, ...options }: Options = {},
): Promise<{ app: App; azure: EmulatedAzure }> {
  const azure = await startAzure({ record: true, ...options });
  await prepare?.(azure);
  const started = { azure, app: await startApp({ ...azure.env, ...env }) };
  onTestFinished(() => started.azure.close());
  onTestFinished(async () => started.app.stop());
  return started;
}

async function startWithSecret({ onTestFinished }: TestContext): Promise<{ app: App; azure: EmulatedAzure }> {
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

/** Makes the identity endpoint return an expired token, and say that it expires in `seconds`. */
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
