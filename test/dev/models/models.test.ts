import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type EmulatedAzure, startAzure } from '../../../src/dev/emulator/azure.ts';
import { SUBSCRIPTION } from '../../../src/dev/emulator/control-plane.ts';
import { type EmulatedEntra, startEntra } from '../../../src/dev/emulator/entra/entra.ts';
import { ask, type Found, NotAsked } from '../../../src/dev/models/ask-azure.ts';
import { printed } from '../../../src/dev/models/print.ts';
import { StandIns } from '../../azure/credentials/stand-in.ts';
import { run, withVariables } from '../../doctor/run.ts';

const DAY_MS = 24 * 60 * 60_000;
const inDays = (days: number): string => new Date(Date.now() + days * DAY_MS).toISOString();
const model = (name: string, version: string, days: number, overrides: object = {}) => ({
  kind: 'OpenAI',
  model: {
    format: 'OpenAI',
    name,
    version,
    lifecycleStatus: 'GenerallyAvailable',
    capabilities: { chatCompletion: 'true' },
    deprecation: { inference: inDays(days) },
    skus: [{ name: 'GlobalStandard' }, { name: 'DataZoneStandard' }],
    ...overrides,
  },
});
const MODELS = [
  model('gpt-5.4-mini', '2026-03-17', 121),
  model('gpt-5.4', '2026-03-05', 60),
  model('gpt-5.4', '2026-03-05', 60),
  model('gpt-5-image', '2026-01-01', 300),
  model('gpt-4o-audio-preview', '2024-12-17', 300),
  model('text-embedding-3-large', '1', 300, { capabilities: { embeddings: 'true' } }),
  model('o3-mini', '2025-01-31', 300),
  model('Llama-4', '1', 300, { format: 'Meta' }),
  model('gpt-5.6-luna', '2026-07-09', 400),
  model('gpt-5.6-luna', '2026-02-02', 400),
  model('gpt-5.6-sol', '2026-07-09', 400, { skus: [{ name: 'DataZoneStandard' }] }),
  model('gpt-6-astra', '2026-09-03', 400),
];
/** The same model, as this tool reports it. */
const offered = (name: string, version: string, days: number, overrides: object = {}) => ({
  name,
  version,
  skus: ['GlobalStandard', 'DataZoneStandard'],
  lifecycle: 'GenerallyAvailable',
  retires: inDays(days).slice(0, 10),
  flex: false,
  ...overrides,
});
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
  // Does here what NODE_EXTRA_CA_CERTS does when a process starts.
  const { NODE_EXTRA_CA_CERTS = '' } = entra.env;
  setDefaultCACertificates([...getCACertificates('default'), await readFile(NODE_EXTRA_CA_CERTS, 'utf8')]);
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

test('lists each model in the configured region that can see images, once, with SKUs and retirement', async () => {
  const { done } = await models(base);
  expect(done).toEqual({
    location: 'swedencentral',
    models: [
      offered('gpt-5.4', '2026-03-05', 60),
      offered('gpt-5.4-mini', '2026-03-17', 121),
      offered('gpt-5.6-luna', '2026-02-02', 400),
      offered('gpt-5.6-luna', '2026-07-09', 400, { flex: true }),
      offered('gpt-5.6-sol', '2026-07-09', 400, { skus: ['DataZoneStandard'] }),
      offered('gpt-6-astra', '2026-09-03', 400, { flex: true }),
    ],
    configured: { deployment: 'young', name: 'gpt-5.4-mini', version: '2026-03-17', retires: inDays(121).slice(0, 10) },
    warnings: [],
  });
  expect(entra.arm.requests.map(({ headers }) => headers.authorization)).toEqual(
    Array.from({ length: entra.arm.requests.length }, () => expect.stringMatching(/^Bearer ey/)),
  );
});

test('warns below the table if the model of the deployment retires within 120 days', async () => {
  const { status, output } = await modelsByProcess({ ...base, AZURE_OPENAI_DEPLOYMENT: 'old' });
  expect(status).toBe(0);
  expect(output).toMatch(
    /^Models in swedencentral that can see:\n\n {2}model +version +lifecycle +retires +flex +SKUs\n/,
  );
  expect(output).toMatch(/SKUs\n\* gpt-5\.4 +2026-03-05 +GenerallyAvailable +[\d-]{10} +- +GlobalStandard DataZone/);
  expect(output).toContain(
    `! The deployment old runs gpt-5.4 2026-03-05, which retires on ${inDays(60).slice(0, 10)}.`,
  );
});

test('warns if the model of the deployment cannot see images', async () => {
  const { done } = await models({ ...base, AZURE_OPENAI_DEPLOYMENT: 'blind' });
  expect(printed(done)).toContain('! The deployment blind runs o3-mini 2025-01-31, which is not known to see images');
});

test('lists another region without settings, if the Azure CLI has a subscription and a sign-in', async () => {
  const standIns = new StandIns(files, azure.authority);
  const { AZURE_RESOURCE_MANAGER_ENDPOINT = '', NODE_EXTRA_CA_CERTS = '' } = base;
  const env = {
    AZURE_TOKEN_CREDENTIALS: 'AzureCliCredential',
    PATH: files,
    AZURE_RESOURCE_MANAGER_ENDPOINT,
    NODE_EXTRA_CA_CERTS,
  };
  await standIns.failing('az', "ERROR: Please run 'az login' to setup account.");
  await expect(models(env, 'eastus')).rejects.toThrow(
    'No subscription is known. Set AZURE_SUBSCRIPTION_ID, or sign in: az login',
  );

  await standIns.azOfSubscription(SUBSCRIPTION);
  const { output } = await modelsByProcess(env, '--location', 'eastus', '--json');
  const found = JSON.parse(output) as Found;
  expect(found).toMatchObject({ location: 'eastus', configured: null });
  expect(found.models.map(({ name }) => name)).toContain('gpt-5.4-mini');
});

test.each([
  {
    what: 'an unknown subscription',
    env: () => ({ AZURE_SUBSCRIPTION_ID: '00000000-0000-4000-8000-0000000000ff' }),
    words: 'no such subscription',
  },
  {
    what: 'an endpoint of another subscription',
    env: () => ({ AZURE_OPENAI_ENDPOINT: 'https://fabrikam.openai.azure.com/' }),
    words: '--location REGION',
  },
  {
    what: 'a missing sign-in',
    env: () => ({ AZURE_TOKEN_CREDENTIALS: 'AzureCliCredential', PATH: '/nowhere' }),
    words: 'AzureCliCredential: az is not installed',
  },
])('explains $what in the error, without a token in it', async ({ env, words }) => {
  const error = await models({ ...base, ...env() }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(NotAsked);
  expect(String(error)).toContain(words);
  expect(String(error)).not.toContain('eyJ');
});

test('names the missing role if Azure answers 403, without a stack, a token or the message of Azure', async () => {
  entra.arm.fail({ status: 403, body: { error: { code: 'AuthorizationFailed', message: 'hunter2' } } }, Infinity);
  const { status, output, errors } = await modelsByProcess(base);
  expect({ status, output }).toEqual({ status: 1, output: '' });
  expect(errors).toContain('role Reader');
  expect(errors).not.toMatch(/\n\s+at |eyJ|hunter2/);
});

async function modelsByProcess(env: Record<string, string>, ...args: string[]) {
  return run('src/dev/models/models.ts', args, env);
}

/** Does the same in this process, which saves the seconds that a new process takes to start. */
async function models(env: Record<string, string>, location?: string) {
  return withVariables(env, async () => ask(process.env, location));
}
