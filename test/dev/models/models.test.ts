import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type EmulatedAzure, startAzure } from '../../../src/dev/emulator/azure.ts';
import { SUBSCRIPTION } from '../../../src/dev/emulator/control-plane.ts';
import { type EmulatedEntra, startEntra } from '../../../src/dev/emulator/entra/entra.ts';
import type { Found } from '../../../src/dev/models/ask-azure.ts';
import { StandIns } from '../../azure/credentials/stand-in.ts';
import { run } from '../../doctor/run.ts';

const DAY_MS = 24 * 60 * 60_000;
const inDays = (days: number): string => new Date(Date.now() + days * DAY_MS).toISOString();
const model = (name: string, version: string, days: number, also: object = {}) => ({
  kind: 'OpenAI',
  model: {
    format: 'OpenAI',
    name,
    version,
    lifecycleStatus: 'GenerallyAvailable',
    capabilities: { chatCompletion: 'true' },
    deprecation: { inference: inDays(days) },
    skus: [{ name: 'GlobalStandard' }, { name: 'DataZoneStandard' }],
    ...also,
  },
});
const MODELS = [
  model('gpt-5.4-mini', '2026-03-17', 117),
  model('gpt-5.4', '2026-03-05', 60),
  model('gpt-5.4', '2026-03-05', 60),
  model('gpt-5-image', '2026-01-01', 300),
  model('gpt-4o-audio-preview', '2024-12-17', 300),
  model('text-embedding-3-large', '1', 300, { capabilities: { embeddings: 'true' } }),
  model('o3-mini', '2025-01-31', 300),
  model('Llama-4', '1', 300, { format: 'Meta' }),
];
const ENDPOINT = 'https://contoso.openai.azure.com/';

let azure: EmulatedAzure;
let entra: EmulatedEntra;
let files: string;
let base: Record<string, string>;
beforeAll(async () => {
  azure = await startAzure();
  const deployments = {
    blind: { name: 'o3-mini', version: '2025-01-31' },
    old: { name: 'gpt-5.4', version: '2026-03-05' },
    young: { name: 'gpt-5.4-mini', version: '2026-03-17' },
  };
  entra = await startEntra(azure.authority, {
    models: MODELS,
    accounts: [{ name: 'contoso', location: 'swedencentral', endpoint: ENDPOINT, deployments }],
  });
  files = await mkdtemp(join(tmpdir(), 'models-'));
  base = {
    ...azure.env,
    ...entra.env,
    AZURE_OPENAI_ENDPOINT: ENDPOINT,
    AZURE_OPENAI_DEPLOYMENT: 'young',
    AZURE_SUBSCRIPTION_ID: SUBSCRIPTION,
    AZURE_RESOURCE_MANAGER_ENDPOINT: entra.url,
  };
});
afterEach(() => entra.arm.reset());
afterAll(async () => {
  azure.close();
  await entra.close();
  await rm(files, { recursive: true });
});

test('the region of the configured resource: each model that can see, once, with its versions, SKUs and retirement', async () => {
  const { status, output } = await models(base, '--json');
  expect(status).toBe(0);
  const found = JSON.parse(output) as Found;
  expect(found).toEqual({
    location: 'swedencentral',
    models: [
      {
        name: 'gpt-5.4',
        version: '2026-03-05',
        skus: ['GlobalStandard', 'DataZoneStandard'],
        lifecycle: 'GenerallyAvailable',
        retires: inDays(60).slice(0, 10),
      },
      {
        name: 'gpt-5.4-mini',
        version: '2026-03-17',
        skus: ['GlobalStandard', 'DataZoneStandard'],
        lifecycle: 'GenerallyAvailable',
        retires: inDays(117).slice(0, 10),
      },
    ],
    configured: { deployment: 'young', name: 'gpt-5.4-mini', version: '2026-03-17', retires: inDays(117).slice(0, 10) },
    warnings: [],
  });
  expect(entra.arm.requests.map(({ headers }) => headers.authorization)).toEqual(
    Array.from({ length: entra.arm.requests.length }, () => expect.stringMatching(/^Bearer ey/)),
  );
});

test('a deployment whose model retires within 90 days is warned of, in a table too', async () => {
  const { output } = await models({ ...base, AZURE_OPENAI_DEPLOYMENT: 'old' });
  expect(output).toMatch(
    /^Models in swedencentral that can see:\n\n {2}model +version +lifecycle +retires +SKUs\n\* gpt-5\.4 +2026-03-05 /,
  );
  expect(output).toContain(
    `! The deployment old runs gpt-5.4 2026-03-05, which retires on ${inDays(60).slice(0, 10)}.`,
  );
});

test('a deployment whose model cannot see is warned of', async () => {
  const { output } = await models({ ...base, AZURE_OPENAI_DEPLOYMENT: 'blind' });
  expect(output).toContain('! The deployment blind runs o3-mini 2025-01-31, which cannot see');
});

test('another region, without any setting, by the subscription and the sign-in of az', async () => {
  const standIns = new StandIns(files, azure.authority);
  const { AZURE_RESOURCE_MANAGER_ENDPOINT = '', NODE_EXTRA_CA_CERTS = '' } = base;
  const env = {
    AZURE_TOKEN_CREDENTIALS: 'AzureCliCredential',
    PATH: files,
    AZURE_RESOURCE_MANAGER_ENDPOINT,
    NODE_EXTRA_CA_CERTS,
  };
  await standIns.failing('az', "ERROR: Please run 'az login' to setup account.");
  expect(await models(env, '--location', 'eastus')).toMatchObject({
    status: 1,
    errors: 'No subscription is known. Set AZURE_SUBSCRIPTION_ID, or sign in: az login\n',
  });

  await standIns.azOfSubscription(SUBSCRIPTION);
  const { output } = await models(env, '--location', 'eastus', '--json');
  expect(JSON.parse(output)).toMatchObject({
    location: 'eastus',
    configured: null,
    models: [{ name: 'gpt-5.4' }, { name: 'gpt-5.4-mini' }],
  });
});

test.each([
  {
    what: 'another subscription',
    env: () => ({ AZURE_SUBSCRIPTION_ID: '00000000-0000-4000-8000-0000000000ff' }),
    words: 'no such subscription',
  },
  {
    what: 'an endpoint elsewhere',
    env: () => ({ AZURE_OPENAI_ENDPOINT: 'https://fabrikam.openai.azure.com/' }),
    words: '--location REGION',
  },
  {
    what: 'nobody signed in',
    env: () => ({ AZURE_TOKEN_CREDENTIALS: 'AzureCliCredential', PATH: '/nowhere' }),
    words: 'AzureCliCredential: az is not installed',
  },
])('$what is told in words, and no stack', async ({ env, words }) => {
  const { status, output, errors } = await models({ ...base, ...env() });
  expect({ status, output }).toEqual({ status: 1, output: '' });
  expect(errors).toContain(words);
  expect(errors).not.toMatch(/\n\s+at |eyJ/);
});

test('no right on the subscription names the role', async () => {
  entra.arm.fail({ status: 403, body: { error: { code: 'AuthorizationFailed', message: 'hunter2' } } }, Infinity);
  const { status, errors } = await models(base);
  expect(status).toBe(1);
  expect(errors).toContain('role Reader');
  expect(errors).not.toContain('hunter2');
});

async function models(env: Record<string, string>, ...args: string[]) {
  return run('src/dev/models/models.ts', args, env);
}
