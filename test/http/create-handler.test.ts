import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { connectionOf } from '../../src/http/connection.ts';
import { createHandler, type Handle, type Response } from '../../src/http/create-handler.ts';
import { InFlight } from '../../src/http/in-flight.ts';
import { problemResponse } from '../../src/http/problem-response.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** Passes one request from a Node server to a handler. The test writes the response itself. */
async function oneRequest(handle: Handle): Promise<{
  inFlight: InFlight;
  lines: string[];
  response: Response;
  write: ServerResponse;
  disconnect: () => void;
}> {
  const inFlight = new InFlight();
  const handler = createHandler(handle, {
    name: 'test',
    timeoutMs: 10_000,
    toReply: problemResponse,
    inFlight,
    isQuiet: false,
  });
  const server = createServer({ keepAliveTimeout: 60_000 }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.on('error', () => undefined).resume();
  closing.push(() => {
    socket.destroy();
    server.close();
    server.closeAllConnections();
  });
  socket.write('GET / HTTP/1.1\r\nHost: test\r\n\r\n');
  const [request, write] = (await once(server, 'request')) as [IncomingMessage, ServerResponse];
  const lines: string[] = [];
  const response = await handler({
    id: 'id',
    method: 'GET',
    url: new URL('http://test/'),
    headers: new Headers(),
    trace: {},
    log: (_, line) => void lines.push(line),
    ...connectionOf(request, write),
  });
  return { inFlight, lines, response, write, disconnect: () => socket.destroy() };
}

/** Whether no request is in progress after 30 ms. */
async function isDrained(inFlight: InFlight): Promise<boolean> {
  let drained = false;
  void inFlight.drained(5_000).then(() => (drained = true));
  await new Promise((resolve) => setTimeout(resolve, 30));
  return drained;
}

test('a request with a text reply ends when its response is written, not when it is made', async () => {
  const finished: string[] = [];
  const { inFlight, write, response, lines } = await oneRequest(async ({ onFinish }) => {
    onFinish(() => void finished.push('finished'));
    return { status: 200, headers: {}, body: 'hello' };
  });
  expect(lines).toHaveLength(1);
  expect(await isDrained(inFlight)).toBe(false);
  expect(finished).toEqual([]);
  write.end(response.body);
  expect(await isDrained(inFlight)).toBe(true);
  expect(finished).toEqual(['finished']);
});

test('a request with a text reply ends when its caller disconnects', async () => {
  const { inFlight, disconnect } = await oneRequest(async () => ({ status: 200, headers: {}, body: 'hello' }));
  expect(await isDrained(inFlight)).toBe(false);
  disconnect();
  await inFlight.drained(5_000);
  expect(await isDrained(inFlight)).toBe(true);
});

test('a request with a streamed reply is logged after its last piece, and ends when that is written', async () => {
  async function* pieces(): AsyncGenerator<string> {
    yield 'one';
    yield 'two';
  }
  const { inFlight, write, response, lines } = await oneRequest(async () => ({
    status: 200,
    headers: {},
    body: pieces(),
  }));
  const written = [];
  if (typeof response.body === 'string') throw new Error('the reply is not streamed');
  for await (const piece of response.body) {
    written.push(Buffer.from(piece).toString());
    expect(lines).toEqual([]);
    write.write(piece);
  }
  expect(written).toEqual(['one', 'two']);
  expect(lines).toHaveLength(1);
  expect(await isDrained(inFlight)).toBe(false);
  write.end();
  expect(await isDrained(inFlight)).toBe(true);
});

test('a caller that disconnects aborts its request, which is logged with 499 and without an error', async () => {
  let context: Parameters<Handle>[0] | undefined;
  const started = Promise.withResolvers<void>();
  const request = oneRequest(async (given) => {
    context = given;
    started.resolve();
    return given.deadline.race(new Promise<never>(() => undefined));
  });
  await started.promise;
  closing[0]?.();
  const { response, lines } = await request;
  expect(response.status).toBe(499);
  expect(context?.deadline.signal.aborted).toBe(true);
  expect(lines).toEqual([expect.stringMatching(/^\{"requestId":"id","status":499,/)]);
});

test('an unexpected error becomes internal_error with the request id, and its message is not logged', async () => {
  const { response, lines } = await oneRequest(() => {
    throw new TypeError('secret words');
  });
  expect(response.status).toBe(500);
  expect(response.headers['x-request-id']).toBe('id');
  if (typeof response.body !== 'string') throw new Error('the reply is streamed');
  expect(JSON.parse(response.body)).toMatchObject({ code: 'internal_error', requestId: 'id' });
  expect(lines[0]).toMatch(/^id failed unexpectedly: \{"error":"TypeError","at":\["at .*create-handler\.test\.ts/);
  expect(lines.join('')).not.toContain('secret');
});
