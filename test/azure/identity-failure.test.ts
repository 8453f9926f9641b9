import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createIdentity } from '../../src/azure/identity.ts';
import { type EmulatedAzure, startAzure } from '../../src/dev/emulator/azure.ts';
import { type EmulatedEntra, startEntra } from '../../src/dev/emulator/entra/entra.ts';
import { Problem } from '../../src/http/problem.ts';
import { readSettings } from '../../src/config/settings.ts';
import { StandIns } from './credentials/stand-in.ts';

let azure: EmulatedAzure;
let entra: EmulatedEntra;
let files: string;
beforeAll(async () => {
  azure = await startAzure({ record: true });
  entra = await startEntra(azure.authority);
  files = await mkdtemp(join(tmpdir(), 'identity-failure-'));
  tls.setDefaultCACertificates([...tls.getCACertificates(), entra.ca]);
});
afterEach(() => {
  vi.unstubAllEnvs();
  azure.reset();
});
afterAll(async () => {
  azure.close();
  await entra.close();
  await rm(files, { recursive: true });
});

interface Case {
  readonly cause: string;
  readonly env: () => Record<string, string | undefined> | Promise<Record<string, string | undefined>>;
  readonly credential: string;
  /** Part of what the problem says about the credential. */
  readonly said: string;
  /** Part of the advice what to do next. */
  readonly next: string;
}

const application = () => ({ ...entra.env, AZURE_CLIENT_ID: entra.application.clientId });
const principal = (env: Record<string, string>) => () => ({
  ...application(),
  AZURE_TOKEN_CREDENTIALS: 'EnvironmentCredential',
  ...env,
});
const workload = (token: () => Promise<string> | string) => async () => {
  const file = join(files, 'token');
  await writeFile(file, await token());
  return { ...application(), AZURE_TOKEN_CREDENTIALS: 'WorkloadIdentityCredential', AZURE_FEDERATED_TOKEN_FILE: file };
};
const tool = (name: string, message: string, credential: string) => async () => {
  await new StandIns(files, azure.authority).failing(name, message);
  return { AZURE_TOKEN_CREDENTIALS: credential, PATH: files };
};
const identityAnswers = (fault: Parameters<EmulatedAzure['identity']['fail']>[0]) => () => {
  azure.identity.fail(fault, Infinity);
  return { ...azure.env };
};
const NO_TOOLS = { PATH: '/nowhere' };

const CASES: readonly Case[] = [
  {
    cause: 'a wrong client secret',
    env: principal({ AZURE_CLIENT_SECRET: 'wrong-secret' }),
    credential: 'EnvironmentCredential',
    said: 'the client secret is wrong',
    next: 'AZURE_CLIENT_SECRET',
  },
  {
    cause: 'an application that the tenant does not have',
    env: principal({ AZURE_CLIENT_ID: 'somebody-else', AZURE_CLIENT_SECRET: 'wrong-secret' }),
    credential: 'EnvironmentCredential',
    said: 'the tenant has no such application',
    next: 'AZURE_CLIENT_ID',
  },
  {
    cause: 'a tenant that does not exist',
    env: principal({ AZURE_TENANT_ID: 'nobody.example', AZURE_CLIENT_SECRET: 'wrong-secret' }),
    credential: 'EnvironmentCredential',
    said: 'does not know this tenant',
    next: 'AZURE_TENANT_ID',
  },
  {
    cause: 'a missing certificate file',
    env: principal({ AZURE_CLIENT_CERTIFICATE_PATH: '/nowhere/secret-name.pem' }),
    credential: 'EnvironmentCredential',
    said: 'cannot be read',
    next: 'AZURE_CLIENT_CERTIFICATE_PATH',
  },
  {
    cause: 'a certificate file without a certificate',
    env: () => principal({ AZURE_CLIENT_CERTIFICATE_PATH: join(process.cwd(), 'README.md') })(),
    credential: 'EnvironmentCredential',
    said: 'does not contain a PEM certificate',
    next: 'private key',
  },
  {
    cause: 'a service principal with neither a secret nor a certificate',
    env: principal({}),
    credential: 'EnvironmentCredential',
    said: 'not set up: needs AZURE_TENANT_ID',
    next: 'EnvironmentCredential',
  },
  {
    cause: 'a federated token with another subject',
    env: workload(() => entra.application.federations.cluster.token({ subject: 'secret-name' })),
    credential: 'WorkloadIdentityCredential',
    said: 'AADSTS700213',
    next: 'service account',
  },
  {
    cause: 'a federated token for another audience',
    env: workload(() => entra.application.federations.cluster.token({ audience: 'https://elsewhere.example' })),
    credential: 'WorkloadIdentityCredential',
    said: 'AADSTS700212',
    next: 'api://AzureADTokenExchange',
  },
  {
    cause: 'an expired federated token',
    env: workload(() => entra.application.federations.cluster.token({ expiresAt: 1_700_000_000 })),
    credential: 'WorkloadIdentityCredential',
    said: 'AADSTS700024',
    next: 'clock',
  },
  {
    cause: 'an empty federated token file',
    env: workload(() => ''),
    credential: 'WorkloadIdentityCredential',
    said: 'cannot be read or is empty',
    next: 'azure.workload.identity/use',
  },
  {
    cause: 'workload identity that is not set up',
    env: () => ({ AZURE_TOKEN_CREDENTIALS: 'WorkloadIdentityCredential' }),
    credential: 'WorkloadIdentityCredential',
    said: 'not set up',
    next: 'AZURE_TOKEN_CREDENTIALS=dev',
  },
  {
    cause: 'an identity endpoint that does not find the identity',
    env: identityAnswers({
      status: 400,
      body: { statusCode: 400, message: 'No User Assigned or Delegated Managed Identity found for secret-name' },
    }),
    credential: 'ManagedIdentityCredential',
    said: 'no such identity is assigned',
    next: 'AZURE_CLIENT_ID',
  },
  ...[
    'Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in the token request',
    'MULTIPLE USER ASSIGNED IDENTITIES EXIST',
  ].flatMap((message) =>
    [
      { statusCode: 400, message },
      { error: 'invalid_request', error_description: message },
    ].map((body) => ({
      cause: `an identity endpoint with several identities that answers ${JSON.stringify(body).slice(0, 40)}`,
      env: identityAnswers({ status: 400, body }),
      credential: 'ManagedIdentityCredential',
      said: 'several user-assigned identities are assigned',
      next: 'set AZURE_CLIENT_ID to the client id',
    })),
  ),
  ...['No Managed Identity found for specified ClientId/ResourceId/PrincipalId.', 'Identity not found'].map(
    (message) => ({
      cause: `an identity endpoint that answers ${message.slice(0, 20)}`,
      env: identityAnswers({ status: 400, body: { statusCode: 400, message } }),
      credential: 'ManagedIdentityCredential',
      said: 'no such identity is assigned',
      next: 'AZURE_CLIENT_ID',
    }),
  ),
  {
    cause: 'an identity endpoint of Container Apps that does not find the identity',
    env: () => ({
      ...identityAnswers({
        status: 400,
        body: { statusCode: 400, message: 'Unable to load requested managed identity.' },
      })(),
      CONTAINER_APP_NAME: 'app',
    }),
    credential: 'ManagedIdentityCredential',
    said: 'no such identity is assigned',
    next: 'az containerapp identity assign',
  },
  {
    cause: 'an identity endpoint whose tenant does not know the scope',
    env: identityAnswers({
      status: 400,
      body: { statusCode: 400, message: 'AADSTS500011: The resource principal was not found in the tenant.' },
    }),
    credential: 'ManagedIdentityCredential',
    said: 'AADSTS500011',
    next: 'AZURE_OPENAI_SCOPE',
  },
  ...(
    [
      [400, 'its endpoint refused (400)', 'AZURE_CLIENT_ID'],
      [401, 'the secret of IDENTITY_HEADER', 'the platform sets both'],
      [403, 'its endpoint refused (403)', 'a proxy, a firewall'],
      [404, 'no identity endpoint at that address (404)', 'check IDENTITY_ENDPOINT'],
      [405, 'not that of an identity endpoint (405)', 'check IDENTITY_ENDPOINT'],
      [410, 'being updated (410)', 'wait 70 seconds'],
      [418, 'its endpoint refused (418)', 'documentation'],
      [500, 'failed on every attempt (500)', 'restart the app'],
      [503, 'failed on every attempt (503)', 'restart the app'],
      [200, 'not a token', 'check IDENTITY_ENDPOINT'],
    ] as const
  ).map(([status, said, next]) => ({
    cause: `an identity endpoint that always answers ${status}`,
    env: identityAnswers({ status, headers: { 'retry-after-ms': '1' }, body: { error: 'secret-name' } }),
    credential: 'ManagedIdentityCredential',
    said,
    next,
  })),
  {
    cause: 'an identity endpoint that always answers 429',
    env: identityAnswers({ status: 429, headers: { 'retry-after': '1' } }),
    credential: 'ManagedIdentityCredential',
    said: 'throttled (429)',
    next: 'wait 1 s',
  },
  {
    cause: 'an identity endpoint that drops connections',
    env: identityAnswers({ breakOff: 'before-headers' }),
    credential: 'ManagedIdentityCredential',
    said: 'could not be reached (ECONNRESET)',
    next: "switch on the app's identity",
  },
  {
    cause: 'an authority with an untrusted certificate',
    async env() {
      const untrusted = await startEntra(azure.authority);
      onTestFinished(async () => untrusted.close());
      return { ...principal({ AZURE_CLIENT_SECRET: 'wrong-secret' })(), ...untrusted.env };
    },
    credential: 'EnvironmentCredential',
    said: 'its certificate is not trusted',
    next: 'NODE_EXTRA_CA_CERTS',
  },
  {
    cause: 'an identity endpoint that answers 403 with an HTML page',
    env: identityAnswers({ status: 403, body: '<h1>secret-name</h1>' }),
    credential: 'ManagedIdentityCredential',
    said: 'its endpoint refused',
    next: 'restart the app',
  },
  {
    cause: 'an identity endpoint that returns an expired token',
    env: identityAnswers({
      body: { access_token: 'secret-name', expires_on: '1700000000', resource: 'x', token_type: 'Bearer' },
    }),
    credential: 'ManagedIdentityCredential',
    said: 'had expired already',
    next: 'clock',
  },
  {
    cause: 'az is not installed',
    env: () => ({ ...NO_TOOLS, AZURE_TOKEN_CREDENTIALS: 'AzureCliCredential' }),
    credential: 'AzureCliCredential',
    said: 'az is not installed',
    next: 'az login',
  },
  {
    cause: 'az fails with an unknown message',
    env: tool('az', 'ERROR: The command failed: secret-name', 'AzureCliCredential'),
    credential: 'AzureCliCredential',
    said: 'failed',
    next: 'AZURE_LOG_LEVEL=info',
  },
  {
    cause: 'az fails because Entra refuses the sign-in',
    env: tool(
      'az',
      'ERROR: AADSTS53003: Access has been blocked by Conditional Access policies, secret-name',
      'AzureCliCredential',
    ),
    credential: 'AzureCliCredential',
    said: 'Conditional Access',
    next: 'administrator of the tenant',
  },
  {
    cause: 'az fails with an unknown Entra error',
    env: tool('az', 'ERROR: AADSTS999999: secret-name', 'AzureCliCredential'),
    credential: 'AzureCliCredential',
    said: 'Entra refused (AADSTS999999)',
    next: 'error?code=999999',
  },
  {
    cause: 'azd is not installed',
    env: () => ({ ...NO_TOOLS, AZURE_TOKEN_CREDENTIALS: 'AzureDeveloperCliCredential' }),
    credential: 'AzureDeveloperCliCredential',
    said: 'azd is not installed',
    next: 'az login',
  },
  {
    cause: 'PowerShell is not installed',
    env: () => ({ ...NO_TOOLS, AZURE_TOKEN_CREDENTIALS: 'AzurePowerShellCredential' }),
    credential: 'AzurePowerShellCredential',
    said: 'is not installed',
    next: 'az login',
  },
  {
    cause: 'Visual Studio Code is not set up',
    env: () => ({ AZURE_TOKEN_CREDENTIALS: 'VisualStudioCodeCredential' }),
    credential: 'VisualStudioCodeCredential',
    said: 'not set up',
    next: 'az login',
  },
];

describe('the problem of a single credential', () => {
  test.each(CASES)('says "$said" and advises "$next": $credential, $cause', async ({ env, credential, said, next }) => {
    const problem = await failure(await env());
    expect(problem.members).toEqual({
      credentials: [credential],
      attempts: [{ credential, said: expect.stringContaining(said) }],
    });
    expect(problem.detail).toMatch(/^The service could not sign in to Azure\. /);
    expect(problem.detail.split(' Next: ')[1]).toContain(next);
    expect(JSON.stringify([problem.detail, problem.members])).not.toMatch(/wrong-secret|secret-name|Trace ID|eyJ/);
  });
});

test('a throttled endpoint: passes on its Retry-After, without the advice to switch the identity off', async () => {
  const problem = await failure(identityAnswers({ status: 429, headers: { 'retry-after': '2' } })());
  expect(problem.headers).toEqual({ 'retry-after': '2' });
  expect(problem.detail).not.toContain('off and on');
});

describe('the problem of a chain of credentials', () => {
  test('lists every credential of "dev", and advises to sign in with the tool that is installed', async () => {
    await new StandIns(files, azure.authority).failing('az', "ERROR: Please run 'az login' to setup account.");
    const problem = await failure({ AZURE_TOKEN_CREDENTIALS: 'dev', PATH: files, HOME: files });
    expect(problem.members['attempts']).toEqual([
      { credential: 'VisualStudioCodeCredential', said: 'not set up' },
      { credential: 'AzureCliCredential', said: 'nobody is signed in' },
      { credential: 'AzurePowerShellCredential', said: 'PowerShell or its Az.Accounts module is not installed' },
      { credential: 'AzureDeveloperCliCredential', said: 'azd is not installed, or not on the PATH' },
    ]);
    expect(problem.detail).toMatch(/Next: az login\.$/);
  });

  test('says which credentials are not set up and which failed, and what to switch on in Azure', async () => {
    azure.identity.fail({ status: 400, body: { statusCode: 400, message: 'No Managed Identity found' } }, Infinity);
    const problem = await failure({ ...azure.env, AZURE_TOKEN_CREDENTIALS: 'prod' });
    expect(problem.members['credentials']).toEqual([
      'EnvironmentCredential',
      'WorkloadIdentityCredential',
      'ManagedIdentityCredential',
    ]);
    expect(problem.detail).toContain('WorkloadIdentityCredential: not set up');
    expect(problem.detail).toContain('ManagedIdentityCredential: no such identity is assigned');

    const nothing = await failure({ AZURE_TOKEN_CREDENTIALS: 'EnvironmentCredential', WEBSITE_SITE_NAME: 'app' });
    expect(nothing.detail).toContain('az functionapp identity assign');
  });

  test('names only the credential that failed, not those after it that were not tried', async () => {
    const problem = await failure({ ...application(), AZURE_CLIENT_SECRET: 'wrong-secret' });
    expect(problem.members['credentials']).toEqual(['EnvironmentCredential']);
  });
});

/** Requests a token with the real library, in this process, and returns the problem with which that fails. */
async function failure(env: Readonly<Record<string, string | undefined>>): Promise<Problem> {
  const { AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_DEPLOYMENT } = azure.env;
  const variables = { AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_DEPLOYMENT, ...env };
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  const thrown: unknown = await createIdentity(readSettings(variables), variables)
    ?.get()
    .catch((error: unknown) => error);
  if (thrown instanceof Problem) return thrown;
  throw new Error('getting a token did not fail with a Problem', { cause: thrown });
}
