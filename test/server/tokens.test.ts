import { createHmac, type KeyObject, generateKeyPairSync } from 'node:crypto';
import { createServer, type Server } from 'node:https';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type EmulatedAzure, startAzure } from '../../src/dev/emulator/azure.ts';
import { makeServerCertificate } from '../../src/dev/emulator/entra/certificates.ts';
import { listen } from '../../src/dev/start/listen.ts';
import { still } from '../images/still.ts';
import { end, serve, type ServerProcess } from './serve.ts';

const TENANT = '00000000-0000-4000-8000-000000000001';
const OTHER_TENANT = '00000000-0000-4000-8000-000000000099';
const CLIENT = '00000000-0000-4000-8000-00000000000a';
const CALLER = '00000000-0000-4000-8000-00000000000b';
const STRANGER = '00000000-0000-4000-8000-00000000000c';

const tenantKeys = generateKeyPairSync('rsa', { modulusLength: 2048 });
const otherKeys = generateKeyPairSync('rsa', { modulusLength: 2048 });
const image = await still('image/png', 16, 16);

/** The authority, which serves the tenant's configuration and keys. */
let entra: Server;
let isDown = false;
/** Whether the authority accepts requests but never answers them. */
let hangs = false;
/** The ids of the keys that the tenant publishes. */
let published: string[] = ['ours'];
/** How often the keys were fetched. */
let fetches = 0;
let azure: EmulatedAzure;
let server: ServerProcess;
let url: string;
let env: Record<string, string>;

beforeAll(async () => {
  const { ca, server: certificate } = await makeServerCertificate();
  const directory = await mkdtemp(join(tmpdir(), 'callers-'));
  await writeFile(join(directory, 'ca.pem'), ca);
  entra = createServer(certificate, (req, res) => {
    if (isDown) return void res.socket?.destroy();
    if (hangs) return;
    const base = `https://${req.headers.host}/${TENANT}`;
    if (req.url?.endsWith('/keys')) fetches += 1;
    res.setHeader('content-type', 'application/json').end(
      JSON.stringify(
        req.url?.endsWith('/keys')
          ? {
              keys: published.map((kid) =>
                Object.assign(tenantKeys.publicKey.export({ format: 'jwk' }), { kid, use: 'sig' }),
              ),
            }
          : { issuer: `${base}/v2.0`, jwks_uri: `${base}/discovery/v2.0/keys` },
      ),
    );
  });
  url = `https://127.0.0.1:${await listen(entra, 0)}`;
  azure = await startAzure({ record: true });
  env = {
    ...azure.env,
    AZURE_AUTHORITY_HOST: url,
    NODE_EXTRA_CA_CERTS: join(directory, 'ca.pem'),
    AUTH_TENANT_ID: TENANT,
    AUTH_CLIENT_ID: CLIENT,
    AUTH_ALLOWED_CLIENTS: `${CALLER}, ${CLIENT}`,
  };
  server = await serve(env);
  return async () => {
    await end(server);
    entra.close();
    entra.closeAllConnections();
    azure.close();
    await rm(directory, { recursive: true });
  };
});
beforeEach(() => {
  azure.model.requests.length = 0;
});

interface TokenOptions {
  readonly version?: 1 | 2;
  readonly issuer?: string;
  readonly audience?: string | undefined;
  readonly client?: Record<string, unknown>;
  readonly kid?: string;
  readonly key?: KeyObject;
  /** When the token becomes valid, in seconds from now. */
  readonly from?: number;
  /** When it expires, in seconds from now. Undefined: it has no `exp`. */
  readonly until?: number | undefined;
}

async function token(options: TokenOptions = {}): Promise<string> {
  const { version = 2, kid = 'ours', key = tenantKeys.privateKey, from = -300 } = options;
  const isV2 = version === 2;
  const issuer = options.issuer ?? (isV2 ? `${url}/${TENANT}/v2.0` : `https://sts.windows.net/${TENANT}/`);
  const { client = isV2 ? { azp: CALLER } : { appid: CALLER }, audience = isV2 ? CLIENT : `api://${CLIENT}` } = options;
  const now = Math.floor(Date.now() / 1000);
  const jwt = new SignJWT({ ...client, tid: TENANT, ver: `${version}.0` })
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid })
    .setIssuer(issuer)
    .setAudience(audience)
    .setNotBefore(now + from);
  if (!('until' in options) || options.until !== undefined) jwt.setExpirationTime(now + (options.until ?? 3600));
  return jwt.sign(key);
}

function unsigned(header: object, claims: object = {}): string {
  const now = Math.floor(Date.now() / 1000);
  const body = { iss: `${url}/${TENANT}/v2.0`, aud: CLIENT, azp: CALLER, exp: now + 3600, ...claims };
  return [header, body].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
}

/**
 * Makes a token for an algorithm confusion attack. A server that trusts the algorithm named in the token would check
 * its signature with the public key as the secret.
 */
function withConfusedAlgorithm(): string {
  const text = unsigned({ alg: 'HS256', kid: 'ours' });
  const secret = tenantKeys.publicKey.export({ format: 'pem', type: 'spki' });
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

async function ask(authorization: string | undefined, route = 'processImage?instructions=x'): Promise<Response> {
  return fetch(`${server.url}/api/${route}`, {
    method: 'POST',
    headers: authorization === undefined ? {} : { authorization },
    body: new Uint8Array(image),
  });
}

describe('answers a caller', () => {
  test.each([
    ['version 2', {}],
    ['version 1', { version: 1 }],
    ['version 1 with the bare client id as audience', { version: 1, audience: CLIENT }],
  ] as const)('with a token of %s', async (_, options) => {
    const response = await ask(`Bearer ${await token(options)}`);
    expect(response.status, await response.text()).toBe(200);
    expect(azure.model.requests).toHaveLength(1);
  });

  test.each([{ azp: CALLER.toUpperCase() }, { azp: CLIENT }])('if its token names the client %o', async (client) => {
    expect((await ask(`Bearer ${await token({ client })}`)).status).toBe(200);
  });

  test('if the scheme is in lower case', async () => {
    expect((await ask(`bearer ${await token()}`)).status).toBe(200);
  });
});

describe('answers 401 without calling the model', () => {
  test.each([
    ['no token', async () => undefined, 'no token'],
    ['another scheme instead of Bearer', async () => 'Basic abc', 'not a bearer token'],
    ['an empty token', async () => 'Bearer ', 'not a bearer token'],
    ['a token after another scheme', async () => `Digest Bearer ${await token()}`, 'not a bearer token'],
    ['a token that is not a JWT', async () => 'Bearer abc', 'cannot be read'],
    [
      'the issuer of another tenant (version 2)',
      async () => token({ issuer: `${url}/${OTHER_TENANT}/v2.0` }),
      'another tenant',
    ],
    [
      'the issuer of another tenant (version 1)',
      async () => token({ version: 1, issuer: `https://sts.windows.net/${OTHER_TENANT}/` }),
      'another tenant',
    ],
    ['another audience', async () => token({ audience: 'https://cognitiveservices.azure.com' }), 'another service'],
    ['a wrong signature', async () => token({ key: otherKeys.privateKey }), 'signature'],
    ['a token without a signature', async () => `${unsigned({ alg: 'none' })}.`, 'RS256'],
    ['HS256 with the public key as the secret', async () => withConfusedAlgorithm(), 'RS256'],
    ['an expired token', async () => token({ until: -1 }), 'expired'],
    ['a token that never expires', async () => token({ until: undefined }), 'exp'],
    ['a token that is not valid yet', async () => token({ from: 60 }), 'not valid yet'],
    ['an ID token, which names no client', async () => token({ client: {} }), 'not an access token'],
  ] satisfies [string, () => Promise<string | undefined>, string][])('to %s', async (_, make, why) => {
    const made: string | undefined = await make();
    const response = await ask(made === undefined || made.includes(' ') || made === '' ? made : `Bearer ${made}`);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toMatch(
      /^Bearer(?: error="invalid_token", error_description="[^"]+")?$/,
    );
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(await response.json()).toMatchObject({ code: 'unauthenticated', detail: expect.stringContaining(why) });
    expect(azure.model.requests).toHaveLength(0);
    expect(server.output()).not.toContain('failed unexpectedly');
  });

  test.each(['chat/completions', 'v1/responses', 'openai/deployments/x/chat/completions', 'v1/embeddings'])(
    "in OpenAI's error format on %s",
    async (route) => {
      const response = await ask(undefined, route);
      expect(response.status).toBe(401);
      expect(await response.json()).toMatchObject({
        error: { code: 'unauthenticated', type: 'invalid_request_error' },
      });
    },
  );

  test('before a body of 90 MB is sent, and closes the connection', async () => {
    const socket = connect(server.port, '127.0.0.1');
    socket.write('POST /api/processImage?instructions=x HTTP/1.1\r\nHost: x\r\nContent-Length: 90000000\r\n\r\n');
    const answer = Buffer.concat(await socket.toArray()).toString();
    expect(answer).toMatch(/^HTTP\/1\.1 401 /);
    expect(answer).toMatch(/connection: close/i);
  });
});

test('answers 403 to a client that is not in AUTH_ALLOWED_CLIENTS', async () => {
  for (const client of [{ azp: STRANGER }, { appid: STRANGER }]) {
    const response = await ask(`Bearer ${await token({ client })}`);
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({
      code: 'caller_not_allowed',
      detail: expect.stringContaining(STRANGER),
    });
  }
  expect(azure.model.requests).toHaveLength(0);
});

test('without AUTH_ALLOWED_CLIENTS, any client of the tenant may call', async () => {
  const { AUTH_ALLOWED_CLIENTS: _, ...others } = env;
  const open = await serve(others);
  const headers = { authorization: `Bearer ${await token({ client: { azp: STRANGER } })}` };
  expect((await fetch(`${open.url}/api/models`, { headers })).status).toBe(200);
  await end(open);
});

test('in the China cloud, accepts version 1 tokens only from the issuer of that cloud', async () => {
  const china = await serve({ ...env, AZURE_AUTHORITY_HOST: `${url}/login.partner.microsoftonline.cn` });
  const status = async (issuer: string): Promise<number> => {
    const headers = { authorization: `Bearer ${await token({ version: 1, issuer: `${issuer}/${TENANT}/` })}` };
    return (await fetch(`${china.url}/api/models`, { headers })).status;
  };
  expect(await status('https://sts.chinacloudapi.cn')).toBe(200);
  expect(await status('https://sts.windows.net')).toBe(401);
  await end(china);
});

test('needs no token for health, openapi.json, playground and readyz, but needs one for all other paths', async () => {
  for (const path of ['api/health', 'api/openapi.json', 'api/playground', 'readyz'])
    expect((await fetch(`${server.url}/${path}`)).status, path).toBe(200);
  for (const path of ['api/health/ready', 'api/nothing', 'api/models', 'nothing'])
    expect((await fetch(`${server.url}/${path}`)).status, path).toBe(401);
  const document = (await (await fetch(`${server.url}/api/openapi.json`)).json()) as object;
  expect(document).toMatchObject({ security: [{ entraToken: [] }] });
});

test('fetches the keys only once more for several unknown key ids', async () => {
  const before = fetches;
  for (let round = 0; round < 5; round += 1) {
    const response = await ask(`Bearer ${await token({ kid: `unknown-${round}` })}`);
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ detail: expect.stringContaining('the tenant has no such key') });
  }
  expect(fetches - before).toBe(1);
});

test('accepts a token with a new key of the tenant', async () => {
  const fresh = await serve(env);
  const authorization = async (kid: string): Promise<Record<string, string>> => ({
    authorization: `Bearer ${await token({ kid })}`,
  });
  expect((await fetch(`${fresh.url}/api/models`, { headers: await authorization('ours') })).status).toBe(200);
  published = ['ours', 'rotated'];
  expect((await fetch(`${fresh.url}/api/models`, { headers: await authorization('rotated') })).status).toBe(200);
  published = ['ours'];
  await end(fresh);
});

describe('if the authority is unreachable', () => {
  test('the server starts and answers 503 until it is back; later, only unknown keys get 503', async () => {
    isDown = true;
    const fresh = await serve(env);
    const headers = { authorization: `Bearer ${await token()}` };
    const refused = await fetch(`${fresh.url}/api/models`, { headers });
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('5');
    expect(await refused.json()).toMatchObject({ error: { code: 'identity_unavailable' } });
    expect((await fetch(`${fresh.url}/api/health`)).status).toBe(200);
    isDown = false;
    expect((await fetch(`${fresh.url}/api/models`, { headers })).status).toBe(200);

    isDown = true;
    expect((await fetch(`${fresh.url}/api/models`, { headers })).status, 'later, with a known key').toBe(200);
    const unknown = { authorization: `Bearer ${await token({ kid: 'unknown' })}` };
    expect((await fetch(`${fresh.url}/api/models`, { headers: unknown })).status, 'with an unknown key').toBe(503);
    expect((await fetch(`${fresh.url}/api/models`, { headers: unknown })).status, 'a second time').toBe(503);
    isDown = false;
    await end(fresh);
  });
});

test('if the authority hangs, answers 503 at the deadline, and logs 499 for a client that disconnects', async () => {
  hangs = true;
  const fresh = await serve({ ...env, REQUEST_TIMEOUT_SECONDS: '1' });
  const headers = { authorization: `Bearer ${await token()}` };
  const disconnect = new AbortController();
  const outcome = fetch(`${fresh.url}/api/models`, { headers, signal: disconnect.signal }).catch(() => 'disconnected');
  setTimeout(() => disconnect.abort(), 300);
  const refused = await fetch(`${fresh.url}/api/models`, { headers });
  expect(refused.status).toBe(503);
  expect(await refused.json()).toMatchObject({
    error: { code: 'identity_unavailable', message: expect.stringContaining('did not answer in time') },
  });
  expect(await outcome).toBe('disconnected');
  hangs = false;
  await end(fresh);
  expect(fresh.output()).toContain('"status":499');
  expect(fresh.output()).not.toContain('failed unexpectedly');
});

describe('does not start, and says what to set', () => {
  test.each([
    ['no settings', {}, 'Choose who may call'],
    [
      'both a tenant and anonymous',
      { AUTH_TENANT_ID: TENANT, AUTH_CLIENT_ID: CLIENT, HTTP_AUTH_LEVEL: 'anonymous' },
      'choose one',
    ],
    ['a tenant without a client', { AUTH_TENANT_ID: TENANT }, 'AUTH_CLIENT_ID is not set'],
    ['a client without a tenant', { AUTH_CLIENT_ID: CLIENT }, 'AUTH_TENANT_ID is not set'],
    ['allowed clients without a tenant', { AUTH_ALLOWED_CLIENTS: CALLER }, 'AUTH_TENANT_ID is not set'],
    ['the level function', { HTTP_AUTH_LEVEL: 'function' }, 'function keys need the Functions host'],
    [
      'both a tenant and the level function',
      { HTTP_AUTH_LEVEL: 'function', AUTH_TENANT_ID: TENANT, AUTH_CLIENT_ID: CLIENT },
      'HTTP_AUTH_LEVEL must not be function',
    ],
    [
      'a tenant that is not an id',
      { AUTH_TENANT_ID: 'contoso', AUTH_CLIENT_ID: CLIENT },
      'AUTH_TENANT_ID must be an id',
    ],
    ['only a variable of Container Apps', { CONTAINER_APP_NAME: 'my-app' }, 'Choose who may call'],
    ['blank values', { AUTH_TENANT_ID: ' ', HTTP_AUTH_LEVEL: '' }, 'Choose who may call'],
  ])('with %s', async (_, variables, message) => {
    await expect(serve({ ...azure.env, ...variables })).rejects.toThrow(message);
  });
});

// A token begins with eyJ. None may be in the log.
afterAll(() => expect(server.output()).not.toMatch(/eyJ/));
