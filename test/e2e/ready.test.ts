import { afterEach, expect, test } from 'vitest';
import { type EmulatedAzure, startAzure } from '../../src/dev/emulator/azure.ts';
import { some } from '../tier.ts';
import { type App, startApp } from './app.ts';
import { checkedFetch } from './ask.ts';

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

test('ready: reports every check and no token; requests at once share one model call without messages', async () => {
  const { app, azure } = await start();
  const answers = await Promise.all(Array.from({ length: 20 }, async () => ready(app)));
  for (const { status, body } of answers) {
    expect(status).toBe(200);
    expect(body).toMatchObject({
      ok: true,
      checks: ['node', 'settings', 'endpoint', 'token', 'deployment'].map((name) => ({
        name,
        status: 'ok',
        fix: null,
      })),
    });
  }
  const [probe, ...more] = azure.model.requests.filter(({ method }) => method === 'POST');
  expect(more).toEqual([]);
  expect(probe?.body).toMatchObject({ messages: [] });
  expect(JSON.stringify(answers)).not.toContain('eyJ');
});

const BROKEN: readonly {
  what: string;
  env?: Record<string, string>;
  breakAzure?: (azure: EmulatedAzure) => void;
  named: string;
  reason: string;
}[] = [
  {
    what: 'no role',
    breakAzure: (azure) => azure.setRole(false),
    named: 'deployment',
    reason: 'it lacks the role',
  },
  {
    what: 'no deployment',
    env: { AZURE_OPENAI_DEPLOYMENT: 'nobody' },
    named: 'deployment',
    reason: 'deployment_not_found',
  },
  {
    what: 'no identity',
    breakAzure: (azure) => azure.identity.fail({ status: 400 }, Infinity),
    named: 'token',
    reason: 'ManagedIdentityCredential',
  },
  {
    what: 'no endpoint',
    env: { AZURE_OPENAI_ENDPOINT: 'http://127.0.0.1:9/' },
    named: 'endpoint',
    reason: 'ECONNREFUSED',
  },
];

test.each(some(BROKEN, 2))('not ready if there is $what', async ({ env = {}, breakAzure, named, reason }) => {
  const { app } = await start(env, breakAzure);
  const { status, body } = await ready(app);
  expect(status).toBe(503);
  expect(body.ok).toBe(false);
  expect(body.checks.filter((check) => check.status === 'fail')).toEqual([
    expect.objectContaining({ name: named, reason: expect.stringContaining(reason) }),
  ]);
});

test('not ready: in Azure, invalid settings are answered with the problem `misconfigured`', async () => {
  const { app } = await start({ WEBSITE_SITE_NAME: 'app', MAX_IMAGES: 'many' });
  const response = await checkedFetch(`${app.url}/api/health/ready`);
  expect(response.status).toBe(500);
  expect(await response.json()).toMatchObject({ code: 'misconfigured', settings: ['MAX_IMAGES'] });
});

test('ready again some seconds after the role is assigned', async () => {
  const { app, azure } = await start({}, (each) => each.setRole(false));
  expect((await ready(app)).status).toBe(503);
  azure.setRole(true);
  await expect.poll(async () => (await ready(app)).status, { timeout: 8_000, interval: 500 }).toBe(200);
});

test('not ready: reports an identity endpoint that does not respond', async () => {
  const { app } = await start({ REQUEST_TIMEOUT_SECONDS: '2' }, (azure) =>
    azure.identity.fail({ silent: true }, Infinity),
  );
  const { status, body } = await ready(app);
  expect(status).toBe(503);
  expect(body.checks.find(({ name }) => name === 'token')).toMatchObject({
    status: 'fail',
    reason: expect.stringContaining('no answer in time'),
  });
});

interface Ready {
  readonly status: number;
  readonly body: {
    readonly ok: boolean;
    readonly checks: readonly { readonly name: string; readonly status: string; readonly reason: string }[];
  };
}

async function ready(app: App): Promise<Ready> {
  const response = await checkedFetch(`${app.url}/api/health/ready`);
  return { status: response.status, body: (await response.json()) as Ready['body'] };
}

async function start(
  env: Record<string, string> = {},
  breakAzure?: (azure: EmulatedAzure) => void,
): Promise<{ app: App; azure: EmulatedAzure }> {
  const azure = await startAzure({ record: true });
  breakAzure?.(azure);
  const app = await startApp({ ...azure.env, ...env });
  closing.push(
    () => azure.close(),
    async () => app.stop(),
  );
  return { app, azure };
}
