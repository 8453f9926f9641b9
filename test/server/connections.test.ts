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

/** Sends these bytes, and reads all that comes until the connection is closed. */
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

/** Sends these bytes on a connection that has answered before. */
async function expectRefusedAfterAnAnswer(bytes: string, status: number): Promise<void> {
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

describe('an answer that comes before the body', () => {
  test.each([
    ['413 by Content-Length', `${ASK}Content-Length: 99000000\r\n\r\n`, 413],
    ['413 while it is waited for with Expect', `${ASK}Expect: 100-continue\r\nContent-Length: 99000000\r\n\r\n`, 413],
    [
      '400 without instructions',
      'POST /api/processImage HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: 900000\r\n\r\n',
      400,
    ],
    ['405', `GET /api/processImage HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n`, 405],
    ['404', `POST /api/nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n`, 404],
    ['408 to a body that does not come', `${ASK}Content-Length: 1000\r\n\r\nabc`, 408],
  ])('%s: the caller reads it, and the connection is closed', async (_, head, status) => {
    const answer = await send(head);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer).toMatch(/\r\nconnection: close\r\n/i);
    expect(answer).toContain(`"status":${status}`);
  });

  test('reaches a caller who goes on sending', async () => {
    const socket = connect(server.port, '127.0.0.1');
    socket.write(`${ASK}Content-Length: 99000000\r\n\r\n`);
    const pour = setInterval(() => socket.write(Buffer.alloc(65_536)), 5);
    const answer = await readAll(socket);
    clearInterval(pour);
    expect(answer).toMatch(/^HTTP\/1\.1 413 [^]*"body_too_large"/);
  });
});

describe.each([
  ['413', `${ASK}Content-Length: 99000000\r\n\r\n`],
  ['431', `${ASK}x: ${'a'.repeat(70_000)}\r\n\r\n`],
])('a caller who reads nothing until all is sent, and is answered %s', (status, head) => {
  test('reads the answer: what follows is discarded meanwhile', async () => {
    const socket = connect(server.port, '127.0.0.1').pause();
    let failure: string | undefined;
    socket.on('error', ({ code }: NodeJS.ErrnoException) => (failure = code));
    socket.write(head);
    // More than the system holds for both ends of a connection, so that somebody has to take it.
    for (let sent = 0; sent < 24; sent += 1)
      await new Promise((resolve) => socket.write(Buffer.alloc(1024 * 1024), resolve));
    expect(failure).toBeUndefined();
    socket.resume();
    expect(await readAll(socket)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  });

  test('is cut off if the sending has no end', async () => {
    const socket = connect({ port: server.port, host: '127.0.0.1', allowHalfOpen: true });
    socket.write(head);
    const drip = setInterval(() => socket.write('x'), 50);
    const answer = await readAll(socket);
    clearInterval(drip);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  });
});

test('Expect: 100-continue is told to go on where the body is wanted', async () => {
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
  ])('%s %s is %d', async (method, target, status) => {
    expect(await send(`${method} ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)).toMatch(
      new RegExp(`^HTTP/1\\.1 ${status} `),
    );
  });

  test('a broken Host header does no harm', async () => {
    expect(await send('GET /api/health HTTP/1.1\r\nHost: a b{}\r\nConnection: close\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 200 /,
    );
  });
});

describe('refused, without a body', () => {
  test.each([
    ['headers of 70 KB', `GET /api/health HTTP/1.1\r\nHost: x\r\nx: ${'a'.repeat(70_000)}\r\n\r\n`, 431],
    ['a URL of 9 KB', `GET /api/health?${'a'.repeat(9_000)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`, 414],
    ['what is not HTTP', 'hello\r\n\r\n', 400],
    ['no Host', 'GET /api/health HTTP/1.1\r\n\r\n', 400],
    ['two lengths', `${ASK}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd`, 400],
    ['both a length and chunks', `${ASK}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
    ['a length that is no number', `${ASK}Content-Length: 3x\r\n\r\nabc`, 400],
    ['a negative length', `${ASK}Content-Length: -1\r\n\r\n`, 400],
    ['an unknown transfer coding', `${ASK}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`, 400],
    ['chunked before another coding', `${ASK}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n`, 400],
    ['a chunk size that is no number', `${ASK}Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n`, 400],
    ['a chunk longer than its size', `${ASK}Transfer-Encoding: chunked\r\n\r\n1\r\nabcdef\r\n0\r\n\r\n`, 400],
    ['a space before a colon', 'GET /api/health HTTP/1.1\r\nHost : x\r\n\r\n', 400],
    ['a folded header', 'GET /api/health HTTP/1.1\r\nHost: x\r\nx: a\r\n b\r\n\r\n', 400],
    ['a bare line feed in the head', 'GET /api/health HTTP/1.1\nHost: x\n\n', 400],
  ])('%s', async (_, bytes, status) => {
    const answer = await send(bytes);
    // Exactly one answer: what follows in the bytes is no second request.
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} [^]*\\r\\n\\r\\n$`));
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(await isServing()).toBe(true);
  });
});

describe('on a connection that has answered before', () => {
  test.each([
    ['headers of 70 KB', `GET /api/health HTTP/1.1\r\nHost: x\r\nx: ${'a'.repeat(70_000)}\r\n\r\n`, 431],
    ['what is not HTTP', 'hello\r\n\r\n', 400],
    ['two lengths', `${ASK}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd`, 400],
    ['a body with a chunk size that is no number', `${ASK}Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n`, 400],
  ])('refused, without a body: %s', async (_, bytes, status) => expectRefusedAfterAnAnswer(bytes, status));

  test('what is not HTTP behind a request that is not answered yet is not answered in its place', async () => {
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
  test('are answered in their order', async () => {
    const socket = connect(server.port, '127.0.0.1');
    socket.write(
      `${ASK}Content-Length: ${image.length}\r\n\r\n${image.toString('latin1')}${HEALTH}GET /api/nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
      'latin1',
    );
    expect((await readAll(socket)).match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200', 'HTTP/1.1 404']);
  });

  test('a flood of them behind a slow one ends that connection only, and the model call with it', async () => {
    azure.model.requests.length = 0;
    azure.model.fail({ silent: true });
    const answer = await send(`${ASK}Content-Length: ${image.length}\r\n\r\n`, image, HEALTH.repeat(500));
    expect(answer).toBe('');
    expect(await isServing()).toBe(true);
  });
});

// Each waits for 30 s.
describe.concurrent('half a head', { timeout: 60_000 }, () => {
  test('on a connection that has answered before is refused, without a body', async () =>
    expectRefusedAfterAnAnswer('GET /api/health HTTP/1.1\r\nHo', 408));

  test('from 1,000 connections keeps nobody else waiting, and none survives 30 s', async () => {
    const sockets = await Promise.all(
      Array.from({ length: 1_000 }, async () => {
        const socket = connect(server.port, '127.0.0.1').on('error', () => {});
        await new Promise((resolve) => socket.once('connect', resolve));
        socket.write('GET /api/health HTTP/1.1\r\nHo');
        return socket;
      }),
    );
    const closed = sockets.map(async (socket) => readAll(socket));
    // One sends a byte of its head now and then, which buys it no time.
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
