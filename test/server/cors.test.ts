import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type EmulatedAzure, startAzure } from '../../src/dev/emulator/azure.ts';
import { still } from '../images/still.ts';
import { end, serve, type ServerProcess } from './serve.ts';

const PAGE = 'https://page.example';
const STRANGER = 'https://stranger.example';
const TENANT = '00000000-0000-4000-8000-000000000001';
const CLIENT = '00000000-0000-4000-8000-00000000000a';
const image = await still('image/png', 16, 16);

let azure: EmulatedAzure;
let server: ServerProcess;
/** A server that requires tokens. Browsers do not send one with a preflight. */
let guarded: ServerProcess;
beforeAll(async () => {
  azure = await startAzure({ record: true });
  const env = { ...azure.env, CORS_ALLOWED_ORIGINS: `${PAGE}, http://localhost:5173` };
  [server, guarded] = await Promise.all([
    serve({ ...env, HTTP_AUTH_LEVEL: 'anonymous' }),
    serve({ ...env, AUTH_TENANT_ID: TENANT, AUTH_CLIENT_ID: CLIENT }),
  ]);
});
afterAll(async () => {
  await Promise.all([end(server), end(guarded)]);
  azure.close();
});

async function preflight({ url }: ServerProcess, origin: string): Promise<Response> {
  const asked = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' };
  return fetch(`${url}/api/processImage`, { method: 'OPTIONS', headers: { origin, ...asked } });
}

async function post({ url }: ServerProcess, origin: string): Promise<Response> {
  return fetch(`${url}/api/processImage?instructions=x`, {
    method: 'POST',
    headers: { origin },
    body: new Uint8Array(image),
  });
}

/** Returns the headers of an answer that say what the page may do. */
function allowed({ headers }: Response): Record<string, string | null> {
  return Object.fromEntries(
    ['origin', 'methods', 'headers'].map((what) => [what, headers.get(`access-control-allow-${what}`)]),
  );
}

describe('an origin in CORS_ALLOWED_ORIGINS', () => {
  test('is allowed by the preflight, without a token and without a model call', async () => {
    azure.model.requests.length = 0;
    for (const each of [server, guarded]) {
      const response = await preflight(each, PAGE);
      expect(response.status).toBe(204);
      expect(allowed(response)).toEqual({ origin: PAGE, methods: 'POST', headers: 'authorization' });
      expect(response.headers.get('vary')).toBe('origin');
      expect(response.headers.get('access-control-max-age')).toMatch(/^\d+$/);
      expect(await response.text()).toBe('');
    }
    expect(azure.model.requests).toHaveLength(0);
  });

  test('may read the answer and its headers', async () => {
    const response = await post(server, PAGE);
    expect(response.status).toBe(200);
    expect(allowed(response)).toMatchObject({ origin: PAGE });
    expect(response.headers.get('access-control-expose-headers')).toContain('x-request-id');
  });

  test('may read the problem if its request is refused', async () => {
    const response = await post(guarded, PAGE);
    expect(response.status).toBe(401);
    expect(allowed(response)).toMatchObject({ origin: PAGE });
    expect(await response.json()).toMatchObject({ code: 'unauthenticated' });
  });
});

test('another origin is not allowed, neither by the preflight nor by the answer', async () => {
  for (const response of [
    await preflight(server, STRANGER),
    await post(server, STRANGER),
    await preflight(server, 'null'),
  ]) {
    expect(allowed(response)).toEqual({ origin: null, methods: null, headers: null });
    expect(response.headers.get('vary')).toBe('origin');
  }
});

test('OPTIONS without an Origin is answered 405', async () => {
  const socket = connect(server.port, '127.0.0.1');
  socket.write('OPTIONS /api/processImage HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  expect(Buffer.concat(await socket.toArray()).toString()).toMatch(/^HTTP\/1\.1 405 [^]*allow: POST/i);
});

test('the server does not start if CORS_ALLOWED_ORIGINS is not an origin, and says what it must be', async () => {
  await expect(
    serve({ ...azure.env, HTTP_AUTH_LEVEL: 'anonymous', CORS_ALLOWED_ORIGINS: 'page.example' }),
  ).rejects.toThrow('CORS_ALLOWED_ORIGINS must be * or comma-separated origins');
});
