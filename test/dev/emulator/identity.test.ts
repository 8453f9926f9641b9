import { randomUUID } from 'node:crypto';
import { DefaultAzureCredential, ManagedIdentityCredential } from '@azure/identity';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { type EmulatedAzure, startAzure } from '../../../src/dev/emulator/azure.ts';

const RESOURCE = 'https://cognitiveservices.azure.com';
// @azure/identity caches the tokens of a managed identity in the whole process, for all credentials. A new resource has
// no token in the cache.
const newResource = () => `https://${randomUUID()}.example`;

let azure: EmulatedAzure;
beforeAll(async () => {
  azure = await startAzure({ record: true });
  for (const [name, value] of Object.entries(azure.env)) vi.stubEnv(name, value);
});
beforeEach(() => azure.reset());
afterAll(() => {
  azure.close();
  vi.unstubAllEnvs();
});

test.each([
  ['ManagedIdentityCredential', () => new ManagedIdentityCredential()],
  ['DefaultAzureCredential', () => new DefaultAzureCredential()],
])('%s gets a token with the claims and the lifetime that Azure gives it', async (_, credential) => {
  const resource = newResource();
  const { token, expiresOnTimestamp } = await credential().getToken(`${resource}/.default`);
  const claims = decodeJwt(token);
  expect(decodeProtectedHeader(token).alg).toBe('RS256');
  expect(claims).toMatchObject({
    aud: resource,
    iss: `https://sts.windows.net/${String(claims['tid'])}/`,
    oid: expect.any(String),
  });
  expect(Number(claims.exp) - Number(claims.iat)).toBe(24 * 60 * 60);
  // The library rounds the remaining time down to seconds.
  expect(Math.abs(expiresOnTimestamp - Number(claims.exp) * 1000)).toBeLessThanOrEqual(1000);
  expect(azure.identity.requests[0]?.query.get('resource')).toBe(resource);
});

test('the token of a user-assigned identity has its client id', async () => {
  const credential = new ManagedIdentityCredential({ clientId: 'an-identity' });
  const { token } = await credential.getToken(`${newResource()}/.default`);
  expect(decodeJwt(token)['appid']).toBe('an-identity');
});

test.each([
  [401, 'without the header', `?api-version=2019-08-01&resource=${RESOURCE}`, {}],
  [401, 'with a wrong header', `?api-version=2019-08-01&resource=${RESOURCE}`, { 'x-identity-header': 'guessed' }],
  [400, 'without a resource', `?api-version=2019-08-01`, 'the right header'],
  [400, 'with another api-version', `?api-version=2017-09-01&resource=${RESOURCE}`, 'the right header'],
])('answers %i to a request %s', async (status, _, query, headers) => {
  const right = { 'x-identity-header': azure.env['IDENTITY_HEADER'] ?? '' };
  const response = await fetch(`${azure.env['IDENTITY_ENDPOINT']}${query}`, {
    headers: typeof headers === 'string' ? right : headers,
  });
  expect(response.status).toBe(status);
  expect(await response.json()).toEqual({ statusCode: status, message: expect.any(String) });
});

test('a fault fails one request, and the next one succeeds', async () => {
  const scope = `${newResource()}/.default`;
  azure.identity.fail({ status: 400, body: { error: 'invalid_request' } });
  await expect(new ManagedIdentityCredential().getToken(scope)).rejects.toThrow();
  await expect(new ManagedIdentityCredential().getToken(scope)).resolves.toBeTruthy();
  expect(azure.identity.requests).toHaveLength(2);
});
