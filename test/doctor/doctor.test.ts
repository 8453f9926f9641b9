import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { CheckName } from '../../src/doctor/check.ts';
import { checkNode } from '../../src/doctor/node-check.ts';
import { type EmulatedAzure, startAzure } from '../../src/dev/emulator/azure.ts';
import { type EmulatedEntra, startEntra } from '../../src/dev/emulator/entra/entra.ts';
import { type EmulatedStorage, startStorage } from '../../src/dev/emulator/storage.ts';
import { report, reportByProcess, run } from './run.ts';

let azure: EmulatedAzure;
let entra: EmulatedEntra;
beforeAll(async () => {
  azure = await startAzure({ record: true });
  entra = await startEntra(azure.authority);
});
afterEach(() => azure.reset());
afterAll(async () => {
  azure.close();
  await entra.close();
});

const NAMES: readonly CheckName[] = ['node', 'settings', 'endpoint', 'token', 'deployment', 'model'];

const WITH_STORAGE = [...NAMES.slice(0, 4), 'storage', ...NAMES.slice(4)];

/** A setup with one fault, and what the report says about it. */
interface Fault {
  readonly fault: string;
  readonly env?: () => Record<string, string>;
  readonly prepare?: () => void;
  /** The library caches a managed identity's token for the whole process, so this case needs a new process. */
  readonly byProcess?: true;
  readonly check: CheckName;
  readonly reason: string;
  readonly fix: string;
}

const principal = () => ({
  ...entra.env,
  AZURE_TOKEN_CREDENTIALS: 'EnvironmentCredential',
  AZURE_CLIENT_ID: entra.application.clientId,
});
/** The endpoint check sends the first request. It gets an answer, so that only later requests fail. */
const modelRefuses = (status: number, code: string, message: string) => () => {
  azure.model.fail({});
  azure.model.fail({ status, body: { error: { code, message } } }, Infinity);
};

const FAULTS: readonly Fault[] = [
  {
    fault: 'no deployment is set',
    env: () => ({ AZURE_OPENAI_DEPLOYMENT: '' }),
    check: 'settings',
    reason: 'AZURE_OPENAI_DEPLOYMENT is not set',
    fix: 'AZURE_OPENAI_DEPLOYMENT',
  },
  {
    fault: 'a limit is not a number',
    env: () => ({ MAX_IMAGE_BYTES: 'hunter2' }),
    check: 'settings',
    reason: 'MAX_IMAGE_BYTES must be',
    fix: 'MAX_IMAGE_BYTES',
  },
  {
    fault: 'AZURE_TOKEN_CREDENTIALS names an unknown credential',
    env: () => ({ AZURE_TOKEN_CREDENTIALS: 'hunter2' }),
    check: 'settings',
    reason: 'AZURE_TOKEN_CREDENTIALS must be one of',
    fix: 'AZURE_TOKEN_CREDENTIALS',
  },
  {
    fault: 'a key is set in Azure',
    env: () => ({ WEBSITE_SITE_NAME: 'app', AZURE_OPENAI_API_KEY: 'hunter2' }),
    check: 'settings',
    reason: 'AZURE_OPENAI_API_KEY must not be set in Azure',
    fix: 'AZURE_OPENAI_API_KEY',
  },
  {
    fault: 'the endpoint is regional',
    env: () => ({ AZURE_OPENAI_ENDPOINT: 'https://westeurope.api.cognitive.microsoft.com/' }),
    check: 'endpoint',
    reason: 'accepts no tokens',
    fix: 'set it',
  },
  {
    fault: 'nothing listens at the endpoint',
    env: () => ({ AZURE_OPENAI_ENDPOINT: 'https://127.0.0.1:9/' }),
    check: 'endpoint',
    reason: 'ECONNREFUSED',
    fix: 'check the address',
  },
  {
    fault: 'the certificate is not trusted',
    env: () => ({ AZURE_OPENAI_ENDPOINT: entra.url }),
    check: 'endpoint',
    reason: 'its certificate is not trusted',
    fix: 'NODE_EXTRA_CA_CERTS',
  },
  {
    fault: 'the identity is not assigned',
    prepare: () =>
      azure.identity.fail(
        { status: 400, body: { statusCode: 400, message: 'No Managed Identity found, hunter2' } },
        Infinity,
      ),
    byProcess: true,
    check: 'token',
    reason: 'no such identity is assigned',
    fix: 'assign it',
  },
  {
    fault: 'the secret is wrong',
    env: () => ({ ...principal(), AZURE_CLIENT_SECRET: 'hunter2' }),
    check: 'token',
    reason: 'AADSTS7000215',
    fix: 'az ad app credential reset',
  },
  {
    fault: 'az is not installed',
    env: () => ({ AZURE_TOKEN_CREDENTIALS: 'AzureCliCredential' }),
    check: 'token',
    reason: 'az is not installed',
    fix: 'az login',
  },
  {
    fault: 'the role is missing',
    prepare: () => azure.setRole(false),
    check: 'deployment',
    reason: 'it lacks the role',
    fix: 'az role assignment create',
  },
  {
    fault: 'the token is for another audience',
    env: () => ({ AZURE_OPENAI_SCOPE: 'https://elsewhere.example/.default' }),
    check: 'deployment',
    reason: 'for https://elsewhere.example',
    fix: 'AZURE_OPENAI_SCOPE',
  },
  {
    fault: 'the deployment does not exist',
    env: () => ({ AZURE_OPENAI_DEPLOYMENT: 'nobody' }),
    check: 'deployment',
    reason: 'deployment_not_found',
    fix: 'AZURE_OPENAI_DEPLOYMENT',
  },
  {
    fault: 'the firewall blocks this network',
    prepare: modelRefuses(403, 'AccessDenied', 'Access denied due to Virtual Network/Firewall rules, hunter2.'),
    check: 'deployment',
    reason: 'accepts no requests from this network',
    fix: 'Networking',
  },
  {
    fault: 'the model cannot see images',
    prepare: modelRefuses(400, 'invalid_request_error', 'image_url is only supported by certain models, hunter2.'),
    check: 'deployment',
    reason: 'called the request invalid',
    fix: 'can see images',
  },
];

describe('one fault', () => {
  test.each(FAULTS)('$fault: only the $check check fails', async ({ env, prepare, byProcess, check, reason, fix }) => {
    prepare?.();
    const { ok, checks, status, text } = await (byProcess ? reportByProcess : report)({ ...azure.env, ...env?.() });
    expect({ ok, status }).toEqual({ ok: false, status: 1 });
    expect(checks.map(({ name }) => name)).toEqual(NAMES);
    expect(checks.filter((each) => each.status === 'fail')).toEqual([
      { name: check, status: 'fail', reason: expect.stringContaining(reason), fix: expect.stringContaining(fix) },
    ]);
    expect(checks.at(-1)?.status, 'the last check depends on it').toBe('skip');
    expect(text).not.toMatch(/hunter2|eyJ/);
  });
});

describe('a dated API version that the deployment refuses', () => {
  const refused = (status: number, code: string, message: string, times = 1) => {
    azure.model.fail({});
    azure.model.fail({ status, body: { error: { code, message } } }, times);
  };
  const posts = () => azure.model.requests.filter(({ method }) => method === 'POST').map(({ path }) => path);

  test.each([
    [400, 'BadRequest', 'Model gpt-vision is enabled only for api versions 2026-03-01-preview and later'],
    [400, 'unsupported_parameter', "Unrecognized request argument supplied: 'max_completion_tokens'"],
    [404, '404', 'Resource not found'],
    [410, 'ApiVersionRetired', 'This API version is retired.'],
  ])('%i %s: tries v1, and recommends OPENAI_API_VERSION=v1', async (status, code, message) => {
    refused(status, code, message);
    const { ok, checks } = await report({ ...azure.env, OPENAI_API_VERSION: '2024-10-21' });
    expect(ok).toBe(false);
    expect(checks.find(({ name }) => name === 'deployment')).toEqual({
      name: 'deployment',
      status: 'fail',
      reason: `gpt-vision refuses API version 2024-10-21 (${status}), but answers on v1`,
      fix: 'set OPENAI_API_VERSION=v1',
    });
    expect(posts()).toEqual(['/openai/deployments/gpt-vision/chat/completions', '/openai/v1/chat/completions']);
  });

  test('recommends v1 for a version that the emulated service does not know', async () => {
    const { checks } = await report({ ...azure.env, OPENAI_API_VERSION: '2099-01-01' });
    expect(checks.find(({ name }) => name === 'deployment')?.fix).toBe('set OPENAI_API_VERSION=v1');
  });

  test.each([
    { condition: 'v1 fails, too', env: {}, status: 404, requests: 2 },
    { condition: 'v1 is already set', env: { OPENAI_API_VERSION: 'v1' }, status: 404, requests: 1 },
    { condition: 'the refusal is not about the version', env: {}, status: 403, requests: 1 },
  ])('does not recommend v1 if $condition', async ({ env, status, requests }) => {
    refused(status, 'DeploymentNotFound', 'The API deployment for this resource does not exist.', Infinity);
    const { checks } = await report({ ...azure.env, ...env });
    expect(checks.find(({ name }) => name === 'deployment')).toMatchObject({
      status: 'fail',
      reason: expect.stringMatching(status === 404 ? /^deployment_not_found/ : /^model_access_denied/) as string,
      fix: expect.not.stringContaining('OPENAI_API_VERSION=v1') as string,
    });
    expect(posts()).toHaveLength(requests);
  });
});

describe('a setup that works', () => {
  test('passes all checks, describes the token without printing it, and asks the model once', async () => {
    const { ok, checks, status, text } = await reportByProcess(azure.env);
    expect({ ok, status }).toEqual({ ok: true, status: 0 });
    expect(checks).toEqual(NAMES.map((name) => ({ name, status: 'ok', reason: expect.any(String), fix: null })));
    const token = checks.find(({ name }) => name === 'token');
    expect(token?.reason).toMatch(
      /^ManagedIdentityCredential \(\d+ ms\): object [\d-]+2 of tenant [\d-]+1, for https:\/\/cognitiveservices\.azure\.com, until 20/,
    );
    expect(text).not.toContain('eyJ');
    expect(
      azure.model.requests.filter(({ method }) => method === 'POST'),
      'only one request that costs tokens',
    ).toHaveLength(1);
  });

  test('says which credential of a chain returned the token', async () => {
    const { checks } = await report({
      ...azure.env,
      ...principal(),
      AZURE_TOKEN_CREDENTIALS: 'prod',
      AZURE_CLIENT_SECRET: entra.application.secret,
    });
    expect(checks.find(({ name }) => name === 'token')?.reason).toMatch(/^EnvironmentCredential /);
  });

  const retiringIn = (days: number): void => {
    azure.model.fail({}, 2);
    const inference = Math.floor(Date.now() / 1000) + days * 24 * 60 * 60;
    azure.model.fail({
      body: {
        data: [{ id: 'emulated-vision-2026-11-01', lifecycle_status: 'deprecated', deprecation: { inference } }],
      },
    });
  };

  test.each([-1, 30, 119])('warns about a model that retires in %i days', async (days) => {
    retiringIn(days);
    const { ok, checks } = await report(azure.env);
    expect(ok).toBe(true);
    expect(checks.at(-1)).toMatchObject({
      name: 'model',
      status: 'warn',
      reason: expect.stringContaining('retires on 20'),
      fix: expect.stringContaining('npm run models'),
    });
  });

  test('does not warn about a model that retires in 121 days', async () => {
    retiringIn(121);
    const { checks } = await report(azure.env);
    expect(checks.at(-1)).toMatchObject({ status: 'ok', reason: expect.stringContaining('retires on 20'), fix: null });
  });

  test('warns about a key that is ignored', async () => {
    const { ok, checks, text } = await report({ ...azure.env, AZURE_OPENAI_API_KEY: 'hunter2' });
    expect(ok).toBe(true);
    expect(checks[1]).toMatchObject({ name: 'settings', status: 'warn', reason: expect.stringContaining('ignored') });
    expect(text).not.toContain('hunter2');
  });

  test('skips the token check if a key is used', async () => {
    const { ok, checks } = await report({ ...azure.env, AZURE_OPENAI_AUTH: 'key', AZURE_OPENAI_API_KEY: azure.key });
    expect(ok).toBe(true);
    expect(checks.find(({ name }) => name === 'token')?.status).toBe('skip');
  });

  test('warns if the second region cannot be reached', async () => {
    const { ok, checks } = await report({
      ...azure.env,
      AZURE_OPENAI_ENDPOINT_2: 'https://127.0.0.1:9/',
      AZURE_OPENAI_DEPLOYMENT_2: 'other',
    });
    expect(ok).toBe(true);
    expect(checks.filter(({ status }) => status === 'warn').map(({ name }) => name)).toEqual([
      'endpoint',
      'deployment',
    ]);
  });
});

describe('storage', () => {
  let storage: EmulatedStorage;
  beforeAll(async () => {
    storage = await startStorage();
    await storage.ready;
  });
  afterAll(async () => storage.close());

  test('checks the containers and the queue if the settings name any', async () => {
    const { ok, checks, text } = await report({ ...azure.env, ...storage.env });
    expect(ok).toBe(true);
    expect(checks.map(({ name }) => name)).toEqual(WITH_STORAGE);
    expect(checks[4]).toEqual({
      name: 'storage',
      status: 'ok',
      reason: 'images, vision-jobs, vision-jobs may be used',
      fix: null,
    });
    expect(text).not.toContain('eyJ');
  });

  test.each([
    {
      fault: 'a container that does not exist',
      env: () => ({ IMAGE_CONTAINERS: storage.images.url.replace(/images$/, 'photos') }),
      reason: 'storage_error: The storage account devstoreaccount1 has no container photos.',
      fix: /^az storage container create --auth-mode login --account-name devstoreaccount1 --name photos, or/,
    },
    {
      fault: 'a queue that does not exist',
      env: () => storage.env,
      prepare: async () => storage.queues.deleteQueue('vision-jobs'),
      reason: 'storage_error: The storage account devstoreaccount1 has no queue vision-jobs.',
      fix: /^az storage queue create --auth-mode login --account-name devstoreaccount1 --name vision-jobs, or/,
    },
    {
      fault: 'a container without the role',
      env: async () => ({ IMAGE_CONTAINERS: `${await refusingAccount()}/photos/images` }),
      reason: "storage_access_denied: The storage account photos refused this app's identity (403).",
      fix: /^az role assignment create --role 'Storage Blob Data Reader' .*firewall/,
    },
    {
      fault: 'an account for jobs without the role',
      env: async () => ({
        JOBS_STORAGE_ACCOUNT: 'work',
        JobsStorage__blobServiceUri: `${await refusingAccount()}/work`,
        JobsStorage__queueServiceUri: `${await refusingAccount()}/work`,
      }),
      reason: "storage_access_denied: The storage account work refused this app's identity (403).",
      fix: /^az role assignment create --role 'Storage (?:Blob|Queue) Data Contributor' /,
    },
    {
      fault: 'an account that cannot be reached',
      env: () => ({ IMAGE_CONTAINERS: 'https://127.0.0.1:9/photos/images' }),
      reason: 'storage_error: The storage account photos cannot be reached',
      fix: /check the name of the account and whether this network reaches it/,
    },
  ])('$fault: fails with a fix, and the deployment is still checked', async ({ env, prepare, reason, fix }) => {
    await prepare?.();
    const { ok, checks } = await report({ ...azure.env, ...(await env()) });
    expect(ok).toBe(false);
    expect(checks.filter(({ status }) => status === 'fail')).toEqual([
      {
        name: 'storage',
        status: 'fail',
        reason: expect.stringContaining(reason),
        fix: expect.stringMatching(fix),
      },
    ]);
    expect(checks.find(({ name }) => name === 'deployment')?.status).toBe('ok');
  });

  /** Starts a storage account that answers every request with 403. */
  async function refusingAccount(): Promise<string> {
    const server = createServer((_, response) => void response.writeHead(403).end()).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
});

test.concurrent('prints a mark and a reason for each check, and a fix for one that failed', async () => {
  const { status, output } = await run('src/dev/doctor/doctor.ts', [], {});
  expect(status).toBe(1);
  expect(output).toMatch(/^✓ node {7}Node 24/);
  expect(output).toMatch(/✗ settings {3}AZURE_OPENAI_ENDPOINT is not set\..+\n +-> set AZURE_OPENAI_ENDPOINT/);
  expect(output).toContain('- token      settings failed');
});

test.concurrent('--emulate checks the emulated Azure', async () => {
  const { ok, checks } = await reportByProcess({}, '--emulate');
  expect(ok).toBe(true);
  expect(checks.map(({ name }) => name)).toEqual(NAMES);
});

test.concurrent('prints the usage and exits with 2 if an option is unknown', async () => {
  expect(await run('src/dev/doctor/doctor.ts', ['--fix'], {})).toEqual({
    status: 2,
    output: '',
    errors: 'usage: npm run doctor [-- --json] [-- --emulate]\n',
  });
});

test.each([
  { version: '20.19.0', status: 'fail' },
  { version: '22.18.0', status: 'ok' },
])('checkNode reports $status for Node $version', ({ version, status }) => {
  expect(checkNode(version).status).toBe(status);
});
