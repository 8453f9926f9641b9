import { describe, expect, test } from 'vitest';
import { SettingsError } from '../../src/config/environment.ts';
import { readAuthLevel, readSettings } from '../../src/config/settings.ts';

const MINIMUM = { AZURE_OPENAI_ENDPOINT: 'https://contoso.openai.azure.com/', AZURE_OPENAI_DEPLOYMENT: 'vision' };

test('two settings are enough, and the rest has defaults', () => {
  expect(readSettings(MINIMUM)).toMatchObject({
    endpoint: 'https://contoso.openai.azure.com/',
    deployment: 'vision',
    apiVersion: '2024-10-21',
    scope: 'https://cognitiveservices.azure.com/.default',
    apiKey: undefined,
    maxImageBytes: 20_971_520,
    requestTimeoutMs: 120_000,
    upstreamMaxRetries: 2,
    notes: [],
  });
});

test('the names of the tutorial are aliases, and ours win', () => {
  const tutorial = { GPT4V_ENDPOINT: 'https://old.openai.azure.com/', GPT4V_DEPLOYMENT: 'old' };
  expect(readSettings(tutorial)).toMatchObject({ endpoint: 'https://old.openai.azure.com/', deployment: 'old' });
  expect(readSettings({ ...tutorial, ...MINIMUM })).toMatchObject({
    endpoint: 'https://contoso.openai.azure.com/',
    deployment: 'vision',
  });
});

test('all faults are listed at once, each under its name, and no value is repeated', () => {
  const faults = faultsOf({
    AZURE_OPENAI_ENDPOINT: 'http://hunter2.example.com',
    OPENAI_API_VERSION: 'hunter2',
    HTTP_AUTH_LEVEL: 'hunter2',
    AZURE_OPENAI_AUTH: 'hunter2',
    REASONING_EFFORT: 'hunter2',
    MAX_IMAGE_BYTES: '-1',
    MAX_OUTPUT_TOKENS: '1e3',
    REQUEST_TIMEOUT_SECONDS: '226',
    UPSTREAM_MAX_RETRIES: 'hunter2',
  });
  expect(Object.keys(faults).toSorted()).toEqual([
    'AZURE_OPENAI_AUTH',
    'AZURE_OPENAI_DEPLOYMENT',
    'AZURE_OPENAI_ENDPOINT',
    'HTTP_AUTH_LEVEL',
    'MAX_IMAGE_BYTES',
    'MAX_OUTPUT_TOKENS',
    'OPENAI_API_VERSION',
    'REASONING_EFFORT',
    'REQUEST_TIMEOUT_SECONDS',
    'UPSTREAM_MAX_RETRIES',
  ]);
  expect(JSON.stringify(faults)).not.toContain('hunter2');
});

describe('endpoint', () => {
  test.each([
    ['https://contoso.openai.azure.us/', 'https://cognitiveservices.azure.us/.default'],
    ['https://contoso.openai.azure.cn', 'https://cognitiveservices.azure.cn/.default'],
    ['https://contoso.cognitiveservices.azure.com/', 'https://cognitiveservices.azure.com/.default'],
    ['https://gateway.contoso.example/vision', 'https://cognitiveservices.azure.com/.default'],
    ['http://127.0.0.1:8080', 'https://cognitiveservices.azure.com/.default'],
    ['http://localhost:8080/', 'https://cognitiveservices.azure.com/.default'],
  ])('%s has scope %s', (endpoint, scope) => {
    expect(readSettings({ ...MINIMUM, AZURE_OPENAI_ENDPOINT: endpoint }).scope).toBe(scope);
  });

  test('a scope of its own wins', () => {
    expect(readSettings({ ...MINIMUM, AZURE_OPENAI_SCOPE: 'api://mine/.default' }).scope).toBe('api://mine/.default');
  });

  test.each([
    ['https://<your-resource>.openai.azure.com/', 'not a URL'],
    ['contoso.openai.azure.com', 'not a URL'],
    ['http://contoso.openai.azure.com/', 'https://'],
    ['http://127.0.0.1.example.com/', 'https://'],
    ['https://westeurope.api.cognitive.microsoft.com/', 'custom subdomain'],
    ['https://contoso.openai.azure.com/openai/deployments/vision', 'must end after the host'],
    ['https://contoso.openai.azure.com/?api-version=2024-10-21', 'no user, query or fragment'],
  ])('%s: %s', (endpoint, words) => {
    expect(faultsOf({ ...MINIMUM, AZURE_OPENAI_ENDPOINT: endpoint })['AZURE_OPENAI_ENDPOINT']).toContain(words);
  });

  test('a fault in the alias is told under the alias', () => {
    expect(faultsOf({ GPT4V_ENDPOINT: 'nonsense', GPT4V_DEPLOYMENT: 'vision' })).toHaveProperty('GPT4V_ENDPOINT');
  });
});

describe('key', () => {
  const key = { AZURE_OPENAI_API_KEY: 'k-123' };

  test('is ignored with a note where nobody asked for it', () => {
    const settings = readSettings({ ...MINIMUM, ...key });
    expect(settings.apiKey).toBeUndefined();
    expect(settings.notes).toEqual([expect.stringContaining('ignored')]);
    expect(settings.notes.join('')).not.toContain('k-123');
  });

  test('is used where AZURE_OPENAI_AUTH=key says so', () => {
    expect(readSettings({ ...MINIMUM, ...key, AZURE_OPENAI_AUTH: 'key' }).apiKey).toBe('k-123');
    expect(faultsOf({ ...MINIMUM, AZURE_OPENAI_AUTH: 'key' })).toHaveProperty('AZURE_OPENAI_API_KEY');
  });

  test.each(['WEBSITE_SITE_NAME', 'CONTAINER_APP_NAME'])('is a fault in Azure (%s)', (variable) => {
    expect(faultsOf({ ...MINIMUM, ...key, [variable]: 'app' })).toHaveProperty('AZURE_OPENAI_API_KEY');
    expect(Object.keys(faultsOf({ ...MINIMUM, ...key, AZURE_OPENAI_AUTH: 'key', [variable]: 'app' }))).toEqual([
      'AZURE_OPENAI_API_KEY',
      'AZURE_OPENAI_AUTH',
    ]);
  });
});

describe('signing in', () => {
  test.each(['device-code', 'browser'])('%s is for a developer machine, and a fault in Azure', (auth) => {
    expect(readSettings({ ...MINIMUM, AZURE_OPENAI_AUTH: auth })).toMatchObject({ auth, apiKey: undefined });
    expect(faultsOf({ ...MINIMUM, AZURE_OPENAI_AUTH: auth, WEBSITE_SITE_NAME: 'app' })).toHaveProperty(
      'AZURE_OPENAI_AUTH',
    );
  });

  test.each(['dev', 'PROD', ' ManagedIdentityCredential ', 'azureclicredential'])(
    'AZURE_TOKEN_CREDENTIALS=%s is one of its own values',
    (value) => {
      expect(readSettings({ ...MINIMUM, AZURE_TOKEN_CREDENTIALS: value }).auth).toBe('identity');
    },
  );

  test.each([
    ['AZURE_TOKEN_CREDENTIALS', 'hunter2', 'AzureCliCredential'],
    ['AZURE_AUTHORITY_HOST', 'http://login.example', 'https://'],
    ['AZURE_TENANT_ID', 'my tenant', 'tenantId'],
  ])('%s=%s would fail without a word, so it is a fault', (name, value, words) => {
    expect(faultsOf({ ...MINIMUM, [name]: value })[name]).toContain(words);
  });

  test.each([
    ['https://contoso.openai.azure.com/', undefined],
    ['https://contoso.openai.azure.us/', 'https://login.microsoftonline.us'],
    ['https://contoso.openai.azure.cn/', 'https://login.chinacloudapi.cn'],
  ])('applications sign in where the cloud of %s does: %s', (endpoint, authorityHost) => {
    expect(readSettings({ ...MINIMUM, AZURE_OPENAI_ENDPOINT: endpoint }).authorityHost).toBe(authorityHost);
  });
});

test('a blank setting counts as unset', () => {
  expect(
    readSettings({ ...MINIMUM, OPENAI_API_VERSION: ' ', MAX_IMAGE_BYTES: '', AZURE_OPENAI_API_KEY: '' }),
  ).toMatchObject({
    apiVersion: '2024-10-21',
    maxImageBytes: 20_971_520,
    notes: [],
  });
});

test('the authorization level is function unless it says anonymous', () => {
  expect(readAuthLevel({})).toBe('function');
  expect(readAuthLevel({ HTTP_AUTH_LEVEL: 'anonymous' })).toBe('anonymous');
  expect(readAuthLevel({ HTTP_AUTH_LEVEL: 'Anonymous!' })).toBe('function');
});

function faultsOf(variables: Record<string, string>): Record<string, string> {
  try {
    readSettings(variables);
  } catch (error) {
    if (error instanceof SettingsError)
      return Object.fromEntries(error.faults.map(({ setting, fault }) => [setting, fault]));
    throw error;
  }
  throw new Error('no fault was found');
}

describe('a second region', () => {
  const second = {
    AZURE_OPENAI_ENDPOINT_2: 'https://contoso-2.openai.azure.com/',
    AZURE_OPENAI_DEPLOYMENT_2: 'vision-2',
  };

  test('is read beside the first', () => {
    expect(readSettings({ ...MINIMUM, ...second }).second).toEqual({
      endpoint: 'https://contoso-2.openai.azure.com/',
      deployment: 'vision-2',
    });
    expect(readSettings(MINIMUM).second).toBeUndefined();
  });

  test.each(['AZURE_OPENAI_ENDPOINT_2', 'AZURE_OPENAI_DEPLOYMENT_2'] as const)('needs %s too', (name) => {
    expect(Object.keys(faultsOf({ ...MINIMUM, ...second, [name]: '' }))).toEqual([name]);
  });

  test('is in the same cloud', () => {
    expect(
      faultsOf({ ...MINIMUM, ...second, AZURE_OPENAI_ENDPOINT_2: 'https://contoso.openai.azure.us/' }),
    ).toHaveProperty('AZURE_OPENAI_ENDPOINT_2');
  });
});
