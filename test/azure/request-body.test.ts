import { once } from 'node:events';
import http, { type ClientRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { MAX_LARGE_WRITERS, RequestBody, SMALL_WRITE_BYTES } from '../../src/azure/request-body.ts';

/** More bytes than the system's buffers for a connection have room for. */
const IMAGE = Buffer.alloc(20 * 1024 * 1024, 'A');

/** Reads only the bodies of requests to `/read`, and answers none. */
let server: http.Server;
let requests: ClientRequest[];
beforeEach(async () => {
  requests = [];
  server = http.createServer((request) => void (request.url === '/read' && request.resume()));
  await once(server.listen(0, '127.0.0.1'), 'listening');
});
afterEach(async () => {
  for (const request of requests) await close(request);
  server.close().closeAllConnections();
});

test('writes in smaller pieces while many others wait for a slow network, until one of them is closed', async () => {
  const slow = await writeMany('/wait');
  expect(slow.map(({ isLarge }) => isLarge)).toEqual(slow.map(() => true));
  expect((await write('/wait')).isLarge).toBe(false);

  for (const { request } of slow.slice(0, 1)) await close(request);
  expect((await write('/wait')).isLarge).toBe(true);
  expect((await write('/wait')).isLarge).toBe(false);
});

test('does not count a request as writing once its body is sent', async () => {
  for (const { request } of await writeMany('/read'))
    await vi.waitFor(() => expect(request.writableFinished).toBe(true), 10_000);
  expect((await write('/wait')).isLarge).toBe(true);
});

async function writeMany(path: string): Promise<Writing[]> {
  return Promise.all(Array.from({ length: MAX_LARGE_WRITERS }, async () => write(path)));
}

interface Writing {
  readonly request: ClientRequest;
  /** Whether its first piece is a large one. */
  readonly isLarge: boolean;
}

/** Starts to send a large image. Resolves once the first piece is written. */
async function write(path: string): Promise<Writing> {
  const body = new RequestBody('"P"', new Map([['P', [IMAGE]]]));
  const { port } = server.address() as AddressInfo;
  const headers = { 'content-length': body.length };
  const request = http.request(`http://127.0.0.1:${port}${path}`, { method: 'POST', headers }).on('error', () => {});
  requests.push(request);
  const written = vi.spyOn(request, 'write');
  body.writeTo(request, () => false);
  await vi.waitFor(() => expect(written).toHaveBeenCalled());
  return { request, isLarge: Buffer.byteLength(written.mock.calls[0]?.[0]) > SMALL_WRITE_BYTES };
}

async function close(request: ClientRequest): Promise<void> {
  if (request.closed) return;
  await new Promise((resolve) => request.once('close', resolve).destroy());
}
