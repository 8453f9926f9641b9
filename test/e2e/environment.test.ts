import { afterEach, describe, expect, test } from 'vitest';
import { startAzure, type EmulatedAzure } from '../../src/dev/emulator/azure.ts';
import { still } from '../images/still.ts';
import { some } from '../tier.ts';
import { type App, startApp, startBoth } from './app.ts';
import { ask, get } from './ask.ts';

const IN_AZURE = { WEBSITE_SITE_NAME: 'my-app' };
const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map(async (each) => each.stop()));
});

describe('stray variables of the SDK', () => {
  const stray = {
    AZURE_OPENAI_API_KEY: 'stray-azure-key',
    OPENAI_API_KEY: 'stray-key',
    OPENAI_ADMIN_KEY: 'stray-admin-key',
    OPENAI_BASE_URL: 'http://127.0.0.1:9/stray-base',
    OPENAI_ORG_ID: 'stray-org',
    OPENAI_PROJECT_ID: 'stray-project',
    OPENAI_CUSTOM_HEADERS: 'Authorization: Bearer stray-header\nX-Stray: stray-header',
    OPENAI_LOG: 'debug',
  };

  const versions = [{ version: '2024-10-21' }, { version: 'v1' }];
  test.each(some(versions, 2))(
    'the keyless path works with all of them set, and sends none ($version)',
    async ({ version }) => {
      const { app, azure } = await both({ ...stray, OPENAI_API_VERSION: version });
      expect((await ask(app.url, await still('image/png', 8, 8))).status).toBe(200);
      const [request] = azure.model.requests;
      expect(request?.headers.authorization).toMatch(/^Bearer ey/);
      expect(JSON.stringify([request?.headers, request?.path, request?.body])).not.toContain('stray');
      expect(app.output()).toContain('AZURE_OPENAI_API_KEY is set and ignored');
      expect(app.output()).not.toContain('stray');
    },
  );
});

test('the version-free API is asked where OPENAI_API_VERSION=v1', async () => {
  const { app, azure } = await both({ OPENAI_API_VERSION: 'v1' });
  expect((await ask(app.url, await still('image/png', 8, 8))).status).toBe(200);
  expect(azure.model.requests[0]).toMatchObject({ path: '/openai/v1/chat/completions', body: { model: 'gpt-vision' } });
  expect(azure.model.requests[0]?.query.size).toBe(0);
});

describe('a key, on a developer machine', () => {
  const headers = [
    { version: 'v1', header: 'authorization', value: 'Bearer a-local-key' },
    { version: '2024-10-21', header: 'api-key', value: 'a-local-key' },
  ];
  test.each(some(headers, 2))(
    'is sent where AZURE_OPENAI_AUTH=key says so ($version)',
    async ({ version, header, value }) => {
      const { app, azure } = await both({
        AZURE_OPENAI_AUTH: 'key',
        AZURE_OPENAI_API_KEY: 'a-local-key',
        OPENAI_API_VERSION: version,
      });
      const answer = await ask(app.url, await still('image/png', 8, 8));
      expect(answer.json(), 'the emulated model takes tokens only').toMatchObject({ code: 'model_access_denied' });
      expect(azure.model.requests[0]?.headers[header]).toBe(value);
      expect(azure.identity.requests).toEqual([]);
      expect(app.output()).not.toContain('a-local-key');
    },
  );
});

describe('wrong settings', () => {
  test('end the start on a developer machine, with every fault and no stack', async () => {
    const start = startApp({ AZURE_OPENAI_ENDPOINT: 'ftp://example.com', MAX_IMAGE_BYTES: 'many' });
    await expect(start).rejects.toThrow(
      /ended with 1:\nThe settings need attention:\n {2}AZURE_OPENAI_ENDPOINT .+\n {2}AZURE_OPENAI_DEPLOYMENT .+\n {2}MAX_IMAGE_BYTES .+\n$/,
    );
  });

  test('in Azure, the app starts, health answers, and the rest says misconfigured', async () => {
    const app = await one({
      ...IN_AZURE,
      AZURE_OPENAI_ENDPOINT: 'https://westeurope.api.cognitive.microsoft.com/',
      AZURE_OPENAI_API_KEY: 'a-forgotten-key',
    });
    expect((await get(app.url, 'health')).status).toBe(200);
    const answer = await ask(app.url, await still('image/png', 8, 8));
    expect(answer.status).toBe(500);
    expect(answer.json()).toMatchObject({
      code: 'misconfigured',
      settings: ['AZURE_OPENAI_ENDPOINT', 'AZURE_OPENAI_DEPLOYMENT', 'AZURE_OPENAI_API_KEY'],
    });
    expect(answer.text + app.output()).not.toContain('a-forgotten-key');
  });
});

test('no identity at all is told with the credentials that were tried', async () => {
  const azure = await startAzure();
  const { AZURE_OPENAI_ENDPOINT = '', AZURE_OPENAI_DEPLOYMENT = '' } = azure.env;
  const app = await one({
    AZURE_OPENAI_ENDPOINT,
    AZURE_OPENAI_DEPLOYMENT,
    AZURE_TOKEN_CREDENTIALS: 'EnvironmentCredential',
  });
  const answer = await ask(app.url, await still('image/png', 8, 8));
  azure.close();
  expect(answer.status).toBe(503);
  expect(answer.json()).toMatchObject({ code: 'identity_unavailable', credentials: ['EnvironmentCredential'] });
});

async function one(env: Record<string, string>): Promise<App> {
  const app = await startApp(env);
  running.push(app);
  return app;
}

async function both(env: Record<string, string>): Promise<{ app: App; azure: EmulatedAzure }> {
  const started = await startBoth(env);
  running.push(started.app, { stop: async () => started.azure.close() });
  return started;
}
