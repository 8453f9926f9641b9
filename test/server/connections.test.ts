import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type EmulatedAzure, startAzure } from '../../src/dev/emulator/azure.ts';
import { still } from '../images/still.ts';
import { end, serve, type ServerProcess } from './serve.ts';

const image = await still('image/png', 16, 16);
const HEALTH = 'GET /api/health HTTP/1.1\r\nHost: x\r\n\r\n';
const ASK = 'POST /api/processImage?instructions=x HTTP/1.1\r\nHost: x\r\n';

let azure: EmulatedAzure;
let server: ServerProcess;
beforeAll(async () => {
  azure = await startAzure({ record: true });
  server = await serve({
    ...azure.env,
    HTTP_AUTH_LEVEL: 'anonymous',
    MAX_BODY_BYTES: '1000000',
    REQUEST_TIMEOUT_SECONDS: '3',
  });
});
afterAll(async () => {
  await end(server);
  azure.close();
  expect(server.output()).not.toContain('failed unexpectedly');
  expect(server.output()).not.toContain('unhandled_rejection');
});

/** Sends these bytes on a new connection, and reads until the connection is closed. */
async function send(...parts: readonly (string | Buffer)[]): Promise<string> {
  const socket = connect(server.port, '127.0.0.1');
  for (const part of parts) socket.write(part);
  return readAll(socket);
}

async function readAll(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  socket.on('error', () => {});
  await new Promise((resolve) => socket.once('close', resolve));
  return text;
}

/** Sends these bytes on a connection that has served a request, and expects an answer without a body. */
async function expectRefusedOnUsedConnection(bytes: string, status: number): Promise<void> {
  const socket = connect(server.port, '127.0.0.1');
  socket.write(HEALTH);
  const [first] = await once(socket, 'data');
  expect(String(first)).toMatch(/^HTTP\/1\.1 200 /);
  socket.write(bytes);
  expect(await readAll(socket)).toMatch(
    new RegExp(`^HTTP/1\\.1 ${status} [^\r]+\r\nconnection: close\r\ncontent-length: 0\r\n\r\n$`),
  );
}

async function isServing(): Promise<boolean> {
  return (await fetch(`${server.url}/api/health`)).ok;
}

describe('an answer before the body has arrived', () => {
  test.each([
    ['413 by Content-Length', `${ASK}Content-Length: 99000000\r\n\r\n`, 413],
    [
      '413 by Content-Length, with Expect: 100-continue',
      `${ASK}Expect: 100-continue\r\nContent-Length: 99000000\r\n\r\n`,
      413,
    ],
    [
      '400 without instructions',
      'POST /api/processImage HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: 900000\r\n\r\n',
      400,
    ],
    ['405 to a GET with a body', `GET /api/processImage HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n`, 405],
    ['404 to an unknown path', `POST /api/nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n`, 404],
    ['408 to a body that does not arrive completely', `${ASK}Content-Length: 1000\r\n\r\nabc`, 408],
  ])('%s: the client gets it, and the connection is closed', async (_, head, status) => {
    const answer = await send(head);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer).toMatch(/\r\nconnection: close\r\n/i);
    expect(answer).toContain(`"status":${status}`);
  });

  test('reaches a client that keeps sending', async () => {
    const socket = connect(server.port, '127.0.0.1');
    socket.write(`${ASK}Content-Length: 99000000\r\n\r\n`);
    const flood = setInterval(() => socket.write(Buffer.alloc(65_536)), 5);
    const answer = await readAll(socket);
    clearInterval(flood);
    expect(answer).toMatch(/^HTTP\/1\.1 413 [^]*"body_too_large"/);
  });
});

describe.each([
  ['413', `${ASK}Content-Length: 99000000\r\n\r\n`],
  ['431', `${ASK}x: ${'a'.repeat(70_000)}\r\n\r\n`],
])('a client that keeps sending after it was answered %s', (status, head) => {
  test('gets the answer even if it reads only at the end, because the server discards the rest', async () => {
    const socket = connect(server.port, '127.0.0.1').pause();
    let failure: string | undefined;
    socket.on('error', ({ code }: NodeJS.ErrnoException) => (failure = code));
    socket.write(head);
    // More than the socket buffers of both ends hold, so the server must read it.
    for (let sent = 0; sent < 24; sent += 1)
      await new Promise((resolve) => socket.write(Buffer.alloc(1024 * 1024), resolve));
    expect(failure).toBeUndefined();
    socket.resume();
    expect(await readAll(socket)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  });

  test('is disconnected if it never stops', async () => {
    const socket = connect({ port: server.port, host: '127.0.0.1', allowHalfOpen: true });
    socket.write(head);
    const drip = setInterval(() => socket.write('x'), 50);
    const answer = await readAll(socket);
    clearInterval(drip);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  });
});

test('answers 100 Continue to Expect: 100-continue if it accepts the request', async () => {
  const socket = connect(server.port, '127.0.0.1');
  socket.write(`${ASK}Connection: close\r\nExpect: 100-continue\r\nContent-Length: ${image.length}\r\n\r\n`);
  const [first] = (await new Promise((resolve) => socket.once('data', (data) => resolve([String(data)])))) as [string];
  expect(first).toBe('HTTP/1.1 100 Continue\r\n\r\n');
  socket.write(image);
  expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 200 /);
});

describe('routes', () => {
  test.each([
    ['GET', '/API/Health/', 200],
    ['GET', '/api/health?x=1', 200],
    ['GET', '/readyz', 200],
    ['POST', '/api/health', 405],
    ['PROPFIND', '/api/health', 405],
    ['GET', '/', 404],
    ['GET', '/processImage', 404],
    ['GET', '/apiary/health', 404],
    ['GET', 'http://elsewhere.example/api/health', 200],
    ['OPTIONS', '*', 404],
    ['GET', '//', 404],
  ])('answers %s %s with %d', async (method, target, status) => {
    expect(await send(`${method} ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)).toMatch(
      new RegExp(`^HTTP/1\\.1 ${status} `),
    );
  });

  test('answers a request with an invalid Host header', async () => {
    expect(await send('GET /api/health HTTP/1.1\r\nHost: a b{}\r\nConnection: close\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 200 /,
    );
  });
});

describe('refuses without a body', () => {
  test.each([
    ['headers of 70 KB', `GET /api/health HTTP/1.1\r\nHost: x\r\nx: ${'a'.repeat(70_000)}\r\n\r\n`, 431],
    ['a URL of 9 KB', `GET /api/health?${'a'.repeat(9_000)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`, 414],
    ['text that is not HTTP', 'hello\r\n\r\n', 400],
    ['a request without Host', 'GET /api/health HTTP/1.1\r\n\r\n', 400],
    ['two Content-Length headers', `${ASK}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd`, 400],
    [
      'Content-Length together with chunked',
      `${ASK}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
    ],
    ['a Content-Length that is not a number', `${ASK}Content-Length: 3x\r\n\r\nabc`, 400],
    ['a negative Content-Length', `${ASK}Content-Length: -1\r\n\r\n`, 400],
    ['an unknown transfer coding', `${ASK}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`, 400],
    ['chunked before another coding', `${ASK}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n`, 400],
    ['a chunk size that is not a number', `${ASK}Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n`, 400],
    ['a chunk longer than its size', `${ASK}Transfer-Encoding: chunked\r\n\r\n1\r\nabcdef\r\n0\r\n\r\n`, 400],
    ['a header with a space before its colon', 'GET /api/health HTTP/1.1\r\nHost : x\r\n\r\n', 400],
    ['a folded header', 'GET /api/health HTTP/1.1\r\nHost: x\r\nx: a\r\n b\r\n\r\n', 400],
    ['a bare line feed in the head', 'GET /api/health HTTP/1.1\nHost: x\n\n', 400],
  ])('%s', async (_, bytes, status) => {
    const answer = await send(bytes);
    // Exactly one answer: the rest of the bytes must not be read as a second request.
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} [^]*\\r\\n\\r\\n$`));
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(await isServing()).toBe(true);
  });
});

describe('on a connection that has served a request before', () => {
  test.each([
    ['headers of 70 KB', `GET /api/health HTTP/1.1\r\nHost: x\r\nx: ${'a'.repeat(70_000)}\r\n\r\n`, 431],
    ['text that is not HTTP', 'hello\r\n\r\n', 400],
    ['two Content-Length headers', `${ASK}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd`, 400],
    ['a body with a chunk size that is not a number', `${ASK}Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n`, 400],
  ])('refuses without a body: %s', async (_, bytes, status) => expectRefusedOnUsedConnection(bytes, status));

  // The client would take it for the answer to its first request.
  test('sends no answer to text that is not HTTP while a request is still in progress', async () => {
    azure.model.requests.length = 0;
    azure.model.fail({ silent: true });
    const socket = connect(server.port, '127.0.0.1');
    socket.write(`${ASK}Content-Length: ${image.length}\r\n\r\n`);
    socket.write(image);
    while (azure.model.requests.length === 0) await sleep(10);
    socket.write('hello\r\n\r\n');
    expect(await readAll(socket)).toBe('');
  });
});

describe('pipelined requests', () => {
  test('are answered in order', async () => {
    const socket = connect(server.port, '127.0.0.1');
    socket.write(
      `${ASK}Content-Length: ${image.length}\r\n\r\n${image.toString('latin1')}${HEALTH}GET /api/nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
      'latin1',
    );
    expect((await readAll(socket)).match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200', 'HTTP/1.1 404']);
  });

  test('close only their connection if there are too many after a slow one, and cancel its model call', async () => {
    azure.model.requests.length = 0;
    azure.model.fail({ silent: true });
    const socket = connect(server.port, '127.0.0.1');
    socket.write(`${ASK}Content-Length: ${image.length}\r\n\r\n`);
    socket.write(image);
    await expect.poll(() => azure.model.requests.length).toBe(1);
    socket.write(HEALTH.repeat(500));
    expect(await readAll(socket)).toBe('');
    // The request's own deadline would cancel the call after 3 s.
    expect(await Promise.race([azure.model.requests[0]?.closedEarly, sleep(1_000, false)])).toBe(true);
    expect(await isServing()).toBe(true);
  });
});

// Each test waits for 30 s.
describe.concurrent('an incomplete head', { timeout: 60_000 }, () => {
  test('is answered 408 without a body on a connection that has served a request before', async () =>
    expectRefusedOnUsedConnection('GET /api/health HTTP/1.1\r\nHo', 408));

  test('on 1,000 connections does not block other requests, and is answered 408 after 30 s on each', async () => {
    const sockets = await Promise.all(
      Array.from({ length: 1_000 }, async () => {
        const socket = connect(server.port, '127.0.0.1').on('error', () => {});
        await new Promise((resolve) => socket.once('connect', resolve));
        socket.write('GET /api/health HTTP/1.1\r\nHo');
        return socket;
      }),
    );
    const closed = sockets.map(async (socket) => readAll(socket));
    // One client keeps sending single bytes of its head, which gives it no more time.
    const [slow] = sockets;
    const drip = setInterval(() => slow?.write('x'), 500);
    expect(await isServing()).toBe(true);
    const answer = await fetch(`${server.url}/api/processImage?instructions=x`, {
      method: 'POST',
      body: new Uint8Array(image),
    });
    expect(answer.status).toBe(200);
    const answers = await Promise.race([Promise.all(closed), sleep(36_000, ['not closed'])]);
    clearInterval(drip);
    for (const socket of sockets) socket.destroy();
    expect(new Set(answers.map((text) => text.slice(0, 12)))).toEqual(new Set(['HTTP/1.1 408']));
  });
});
