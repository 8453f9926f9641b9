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

describe("the OpenAI SDK's own variables", () => {
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
    'do not affect a request, and their values are neither sent nor logged ($version)',
    async ({ version }) => {
      const { app, azure } = await startAppAndAzure({ ...stray, OPENAI_API_VERSION: version });
      expect((await ask(app.url, await still('image/png', 8, 8))).status).toBe(200);
      const [request] = azure.model.requests;
      expect(request?.headers.authorization).toMatch(/^Bearer ey/);
      expect(JSON.stringify([request?.headers, request?.path, request?.body])).not.toContain('stray');
      expect(app.output()).toContain('AZURE_OPENAI_API_KEY is set and ignored');
      expect(app.output()).not.toContain('stray');
    },
  );
});

test('calls /openai/v1 without a query if OPENAI_API_VERSION=v1', async () => {
  const { app, azure } = await startAppAndAzure({ OPENAI_API_VERSION: 'v1' });
  expect((await ask(app.url, await still('image/png', 8, 8))).status).toBe(200);
  expect(azure.model.requests[0]).toMatchObject({ path: '/openai/v1/chat/completions', body: { model: 'gpt-vision' } });
  expect(azure.model.requests[0]?.query.size).toBe(0);
});

describe('an API key on a developer machine', () => {
  const headers = [
    { version: 'v1', header: 'authorization', value: 'Bearer a-local-key' },
    { version: '2024-10-21', header: 'api-key', value: 'a-local-key' },
  ];
  test.each(some(headers, 2))(
    'is sent instead of a token if AZURE_OPENAI_AUTH=key, and is not logged ($version)',
    async ({ version, header, value }) => {
      const { app, azure } = await startAppAndAzure({
        AZURE_OPENAI_AUTH: 'key',
        AZURE_OPENAI_API_KEY: 'a-local-key',
        OPENAI_API_VERSION: version,
      });
      const answer = await ask(app.url, await still('image/png', 8, 8));
      expect(answer.json(), 'the emulated model accepts only tokens').toMatchObject({ code: 'model_access_denied' });
      expect(azure.model.requests[0]?.headers[header]).toBe(value);
      expect(azure.identity.requests).toEqual([]);
      expect(app.output()).not.toContain('a-local-key');
    },
  );
});

describe('invalid settings', () => {
  test('on a developer machine, startup fails and lists every invalid setting, without a stack trace', async () => {
    const start = startApp({ AZURE_OPENAI_ENDPOINT: 'ftp://example.com', MAX_IMAGE_BYTES: 'many' });
    await expect(start).rejects.toThrow(
      /ended with 1:\nThe settings need attention:\n {2}AZURE_OPENAI_ENDPOINT .+\n {2}AZURE_OPENAI_DEPLOYMENT .+\n {2}MAX_IMAGE_BYTES .+\n$/,
    );
  });

  test('in Azure, the app starts, health answers 200, and processImage answers 500 with the names of the settings', async () => {
    const app = await startAppOnly({
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

test('answers 503 with the credentials that were tried if none of them returns a token', async () => {
  const azure = await startAzure();
  const { AZURE_OPENAI_ENDPOINT = '', AZURE_OPENAI_DEPLOYMENT = '' } = azure.env;
  const app = await startAppOnly({
    AZURE_OPENAI_ENDPOINT,
    AZURE_OPENAI_DEPLOYMENT,
    AZURE_TOKEN_CREDENTIALS: 'EnvironmentCredential',
  });
  const answer = await ask(app.url, await still('image/png', 8, 8));
  azure.close();
  expect(answer.status).toBe(503);
  expect(answer.json()).toMatchObject({ code: 'identity_unavailable', credentials: ['EnvironmentCredential'] });
});

async function startAppOnly(env: Record<string, string>): Promise<App> {
  const app = await startApp(env);
  running.push(app);
  return app;
}

async function startAppAndAzure(env: Record<string, string>): Promise<{ app: App; azure: EmulatedAzure }> {
  const started = await startBoth(env);
  running.push(started.app, { stop: async () => started.azure.close() });
  return started;
}
