import { describe, expect, test } from 'vitest';
import { SettingsError } from '../../src/config/environment.ts';
import { readAuthLevel, readSettings } from '../../src/config/settings.ts';

const MINIMUM = { AZURE_OPENAI_ENDPOINT: 'https://contoso.openai.azure.com/', AZURE_OPENAI_DEPLOYMENT: 'vision' };

test('needs only two settings, and has defaults for the others', () => {
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

test("accepts the tutorial's names as aliases, and prefers this app's own names", () => {
  const tutorial = { GPT4V_ENDPOINT: 'https://old.openai.azure.com/', GPT4V_DEPLOYMENT: 'old' };
  expect(readSettings(tutorial)).toMatchObject({ endpoint: 'https://old.openai.azure.com/', deployment: 'old' });
  expect(readSettings({ ...tutorial, ...MINIMUM })).toMatchObject({
    endpoint: 'https://contoso.openai.azure.com/',
    deployment: 'vision',
  });
});

test('lists every invalid setting in one error, by name and without its value', () => {
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

describe('AZURE_OPENAI_ENDPOINT', () => {
  test.each([
    ['https://contoso.openai.azure.us/', 'https://cognitiveservices.azure.us/.default'],
    ['https://contoso.openai.azure.cn', 'https://cognitiveservices.azure.cn/.default'],
    ['https://contoso.cognitiveservices.azure.com/', 'https://cognitiveservices.azure.com/.default'],
    ['https://gateway.contoso.example/vision', 'https://cognitiveservices.azure.com/.default'],
    ['http://127.0.0.1:8080', 'https://cognitiveservices.azure.com/.default'],
    ['http://localhost:8080/', 'https://cognitiveservices.azure.com/.default'],
  ])('%s has the scope %s', (endpoint, scope) => {
    expect(readSettings({ ...MINIMUM, AZURE_OPENAI_ENDPOINT: endpoint }).scope).toBe(scope);
  });

  test('AZURE_OPENAI_SCOPE overrides its scope', () => {
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
  ])('%s is rejected: %s', (endpoint, message) => {
    expect(faultsOf({ ...MINIMUM, AZURE_OPENAI_ENDPOINT: endpoint })['AZURE_OPENAI_ENDPOINT']).toContain(message);
  });

  test('an invalid alias is reported by the name of the alias', () => {
    expect(faultsOf({ GPT4V_ENDPOINT: 'nonsense', GPT4V_DEPLOYMENT: 'vision' })).toHaveProperty('GPT4V_ENDPOINT');
  });
});

describe('AZURE_OPENAI_API_KEY', () => {
  const key = { AZURE_OPENAI_API_KEY: 'k-123' };

  test('is ignored, with a note, unless AZURE_OPENAI_AUTH=key', () => {
    const settings = readSettings({ ...MINIMUM, ...key });
    expect(settings.apiKey).toBeUndefined();
    expect(settings.notes).toEqual([expect.stringContaining('ignored')]);
    expect(settings.notes.join('')).not.toContain('k-123');
  });

  test('is used, and required, if AZURE_OPENAI_AUTH=key', () => {
    expect(readSettings({ ...MINIMUM, ...key, AZURE_OPENAI_AUTH: 'key' }).apiKey).toBe('k-123');
    expect(faultsOf({ ...MINIMUM, AZURE_OPENAI_AUTH: 'key' })).toHaveProperty('AZURE_OPENAI_API_KEY');
  });

  test.each(['WEBSITE_SITE_NAME', 'CONTAINER_APP_NAME'])('is rejected in Azure (%s)', (variable) => {
    expect(faultsOf({ ...MINIMUM, ...key, [variable]: 'app' })).toHaveProperty('AZURE_OPENAI_API_KEY');
    expect(Object.keys(faultsOf({ ...MINIMUM, ...key, AZURE_OPENAI_AUTH: 'key', [variable]: 'app' }))).toEqual([
      'AZURE_OPENAI_API_KEY',
      'AZURE_OPENAI_AUTH',
    ]);
  });
});

describe('signing in', () => {
  test.each(['device-code', 'browser'])('AZURE_OPENAI_AUTH=%s is accepted locally and rejected in Azure', (auth) => {
    expect(readSettings({ ...MINIMUM, AZURE_OPENAI_AUTH: auth })).toMatchObject({ auth, apiKey: undefined });
    expect(faultsOf({ ...MINIMUM, AZURE_OPENAI_AUTH: auth, WEBSITE_SITE_NAME: 'app' })).toHaveProperty(
      'AZURE_OPENAI_AUTH',
    );
  });

  test.each(['dev', 'PROD', ' ManagedIdentityCredential ', 'azureclicredential'])(
    'AZURE_TOKEN_CREDENTIALS=%s is accepted',
    (value) => {
      expect(readSettings({ ...MINIMUM, AZURE_TOKEN_CREDENTIALS: value }).auth).toBe('identity');
    },
  );

  test.each([
    ['AZURE_TOKEN_CREDENTIALS', 'hunter2', 'AzureCliCredential'],
    ['AZURE_AUTHORITY_HOST', 'http://login.example', 'https://'],
    ['AZURE_TENANT_ID', 'my tenant', 'tenantId'],
  ])('%s=%s is rejected: %s', (name, value, message) => {
    expect(faultsOf({ ...MINIMUM, [name]: value })[name]).toContain(message);
  });

  test.each([
    ['https://contoso.openai.azure.com/', undefined],
    ['https://contoso.openai.azure.us/', 'https://login.microsoftonline.us'],
    ['https://contoso.openai.azure.cn/', 'https://login.chinacloudapi.cn'],
  ])('the authority for %s is %s', (endpoint, authorityHost) => {
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

test('the authorization level is function unless HTTP_AUTH_LEVEL is anonymous', () => {
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
  throw new Error('readSettings accepted the settings');
}

describe('a second region', () => {
  const second = {
    AZURE_OPENAI_ENDPOINT_2: 'https://contoso-2.openai.azure.com/',
    AZURE_OPENAI_DEPLOYMENT_2: 'vision-2',
  };

  test('is optional, and is read in addition to the first', () => {
    expect(readSettings({ ...MINIMUM, ...second }).second).toEqual({
      endpoint: 'https://contoso-2.openai.azure.com/',
      deployment: 'vision-2',
    });
    expect(readSettings(MINIMUM).second).toBeUndefined();
  });

  test.each(['AZURE_OPENAI_ENDPOINT_2', 'AZURE_OPENAI_DEPLOYMENT_2'] as const)('is rejected without %s', (name) => {
    expect(Object.keys(faultsOf({ ...MINIMUM, ...second, [name]: '' }))).toEqual([name]);
  });

  test('is rejected if it is in another cloud', () => {
    expect(
      faultsOf({ ...MINIMUM, ...second, AZURE_OPENAI_ENDPOINT_2: 'https://contoso.openai.azure.us/' }),
    ).toHaveProperty('AZURE_OPENAI_ENDPOINT_2');
  });
});
