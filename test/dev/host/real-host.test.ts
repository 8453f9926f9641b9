import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTinyApp, type TinyApp } from './tiny-app.ts';
import { trialApp } from './trial-app.ts';

/** The real Functions host on which all of this was seen, with the Node worker 3.9.1, on 2026-11-26. */
const SEEN_ON = 'as host 4.1037 does';
const MB = 1024 * 1024;
const SMALL_LIMIT = 3 * MB;

const takesTheRest = `
const ALL = ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'PATCH', 'OPTIONS'];
app.http('~rest', { route: '{*path}', methods: ALL, handler: (req) => ({ status: 405, headers: { allow: 'GET' }, jsonBody: req.params }) });
`;

let app: TinyApp;
let open: TinyApp;
let locked: TinyApp;
beforeAll(async () => {
  [app, open, locked] = await Promise.all([
    startTinyApp(trialApp),
    startTinyApp(trialApp + takesTheRest, { FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: String(SMALL_LIMIT) }),
    startTinyApp(trialApp + takesTheRest, { FUNCTION_KEYS: 'on' }),
  ]);
});
afterAll(() => Promise.all([app.stop(), open.stop(), locked.stop()]));

/** Sends bytes as they are and resolves with all that comes back until the connection ends. */
async function raw({ url }: TinyApp, ...pieces: (string | Buffer)[]): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  for (const piece of pieces) socket.write(piece);
  return Buffer.concat(await socket.toArray()).toString();
}

const noBody = /\r\n\r\n$/;

describe(`the whole request is taken before the answer is read, ${SEEN_ON}`, () => {
  test.each([
    ['with a Content-Length', { 'content-length': 4 }],
    ['chunked', { 'transfer-encoding': 'chunked' }],
  ])('%s', async (_, headers) => {
    const upload = request(`${app.url}/v1/refuse`, { method: 'POST', headers });
    upload.write('ab');
    const response = once(upload, 'response');
    expect(await Promise.race([response, sleep(500, 'none yet')])).toBe('none yet');
    upload.end('cd');
    const [answer] = await response;
    expect(answer.statusCode).toBe(413);
    expect(Buffer.concat(await answer.toArray()).toString()).toBe('{"code":"body_too_large"}');
  });

  test('and the connection serves the next request', async () => {
    const refused = `POST /v1/refuse HTTP/1.1\r\nhost: x\r\ncontent-length: ${MB}\r\n\r\n`;
    const next = 'GET /v1/hello HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n';
    const answers = await raw(app, refused, Buffer.alloc(MB), next);
    expect(answers.match(/^HTTP\/1\.1 \d+/gm)).toEqual(['HTTP/1.1 413', 'HTTP/1.1 200']);
  });
});

describe(`a body over the limit is a 500 without a body, ${SEEN_ON}`, () => {
  test('100 MiB is the limit', async () => {
    const head = (bytes: number) => `POST /v1/refuse HTTP/1.1\r\nhost: x\r\ncontent-length: ${bytes}\r\n\r\n`;
    expect(await raw(app, head(100 * MB + 1))).toMatch(/^HTTP\/1\.1 500 /);
    const whole = Array.from({ length: 100 }, () => Buffer.alloc(MB));
    const upload = request(`${app.url}/v1/refuse`, { method: 'POST', headers: { 'content-length': 100 * MB } });
    for (const piece of whole) if (!upload.write(piece)) await once(upload, 'drain');
    upload.end();
    const [answer] = await once(upload, 'response');
    expect(answer.resume().statusCode).toBe(413);
  });

  test('FUNCTIONS_REQUEST_BODY_SIZE_LIMIT moves it; the function is not called, and the log says why', async () => {
    const send = async (body: Buffer<ArrayBuffer>) => fetch(`${open.url}/v1/echo`, { method: 'POST', body });
    expect((await (await send(randomBytes(SMALL_LIMIT))).bytes()).length).toBe(SMALL_LIMIT);
    const tooLarge = await send(randomBytes(SMALL_LIMIT + 1));
    expect([tooLarge.status, await tooLarge.text()]).toEqual([500, '']);
    await expect.poll(() => open.output()).toContain('error Functions.echo: The body is larger than 3145728 bytes');
  });

  test('chunked, too', async () => {
    const chunk = `100000\r\n${'x'.repeat(MB)}\r\n`;
    const head = 'POST /v1/echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n';
    const answer = await raw(open, head, chunk, chunk, chunk, chunk);
    expect(answer).toMatch(/^HTTP\/1\.1 500 /);
    expect(answer).toMatch(noBody);
  });
});

describe(`a body slower than 240 bytes a second after 5 s is a 500 without a body, ${SEEN_ON}`, () => {
  test.concurrent.each([
    ['one byte a second', 1, /^HTTP\/1\.1 500 [^]*\r\n\r\n$/],
    ['400 bytes a second', 400, /^HTTP\/1\.1 200 /],
  ])('%s', async (_, bytes, expected) => {
    const socket = connect(Number(new URL(app.url).port), '127.0.0.1');
    socket.write(`POST /v1/echo HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: ${8 * bytes}\r\n\r\n`);
    const answer = socket.toArray();
    for (let second = 0; second < 8 && !socket.readableEnded; second += 1) {
      socket.write('x'.repeat(bytes));
      await sleep(1_000);
    }
    expect(Buffer.concat(await answer).toString()).toMatch(expected);
  });
});

describe(`a request's head, ${SEEN_ON}`, () => {
  const padded = (target: string, headers: number) =>
    `GET ${target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-pad: ${'y'.repeat(headers)}\r\n\r\n`;

  test.each([
    ['31 KB of headers are taken', '/v1/hello', 31 * 1024, 200],
    ['headers over 32 KB are a 431', '/v1/hello', 32 * 1024, 431],
    ['headers far over 32 KB are a 431', '/v1/hello', 200_000, 431],
    ['a request line of 8 KB is taken', `/v1/hello?${'x'.repeat(8_150)}`, 0, 200],
    ['a request line over 8 KB is a 414', `/v1/hello?${'x'.repeat(8_192)}`, 0, 414],
    ['a request line far over 8 KB is a 414', `/v1/hello?${'x'.repeat(200_000)}`, 0, 414],
  ])('%s', async (_, target, headers, status) => {
    const answer = await raw(app, padded(target, headers));
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    if (status !== 200) expect(answer).toMatch(noBody);
  });

  test('Expect: 100-continue is answered by the host, where the request is going to be taken', async () => {
    const head = (path: string) =>
      `POST ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n`;
    expect(await raw(app, head('/v1/echo'), 'ab')).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /);
    expect(await raw(app, head('/v1/unknown'))).toMatch(/^HTTP\/1\.1 404 /);
  });
});

describe(`requests that no function takes are a 404 without a body, ${SEEN_ON}`, () => {
  const untaken = [
    ['POST', '/v1/hello'],
    ['HEAD', '/v1/hello'],
    ['OPTIONS', '/v1/hello'],
    ['GET', '/v1/unknown'],
    ['POST', '/v1/deployments/a/b/chat'],
  ] as const;

  test.each([...untaken, ['GET', '/hello'] as const])('%s %s', async (method, path) => {
    const response = await fetch(`${app.url}${path}`, { method });
    expect([response.status, await response.text()]).toEqual([404, '']);
  });

  test.each(untaken)('%s %s goes to a function with the route {*path}', async (method, path) => {
    const response = await fetch(`${open.url}${path}`, { method });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET']);
    const rest = JSON.stringify({ path: path.slice('/v1/'.length) });
    expect(await response.text()).toBe(method === 'HEAD' ? '' : rest);
  });

  test('but only under the prefix', async () => {
    expect((await fetch(`${open.url}/hello`)).status).toBe(404);
    expect((await fetch(`${open.url}/v1/`)).status).toBe(405);
  });

  test('and a 404 does not wait for the upload', async () => {
    const head = `POST /v1/unknown HTTP/1.1\r\nhost: x\r\ncontent-length: ${8 * MB}\r\n\r\n`;
    expect(await raw(app, head, Buffer.alloc(7 * MB))).toMatch(/^HTTP\/1\.1 404 /);
  });
});

describe(`routes, ${SEEN_ON}`, () => {
  test.each([
    ['/V1/Hello', 'hello'],
    ['/v1/hello/', 'hello'],
    ['/v1/h%65llo', 'hello'],
    ['/v1/models', '{"params":{}}'],
    ['/v1/models/GPT-5', '{"params":{"id":"GPT-5"}}'],
    ['/v1/models/a%20b%2Fc/', '{"params":{"id":"a b%2Fc"}}'],
    ['/v1/deployments/my.model/Chat', '{"params":{"name":"my.model"}}'],
    ['/v1/v1/chat', '{"params":{"prefix":"v1"}}'],
    ['/v1/OPENAI/chat', '{"params":{"prefix":"OPENAI"}}'],
    ['/v1/aa/chat', '{"params":{"prefix":"aa"}}'],
    // The values of the query are among the parameters there, too.
    ['/v1/models?id=query&other=1', '{"params":{"id":"query","other":"1"}}'],
    ['/v1/models/route?id=query', '{"params":{"id":"route"}}'],
  ])('%s', async (path, answer) => {
    const text = await raw(app, `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
    expect(text).toContain(answer);
  });

  test('a value that a constraint refuses is no match', async () => {
    expect((await fetch(`${app.url}/v1/v2/chat`)).status).toBe(404);
  });

  test('are tried in the order of the names, and the first whose route and method match wins', async () => {
    expect(await (await fetch(`${app.url}/v1/same`)).text()).toBe('a');
    expect(await (await fetch(`${app.url}/v1/same`, { method: 'POST' })).text()).toBe('b');
    // '~rest' sorts last and takes only what is left.
    expect(await (await fetch(`${open.url}/v1/same`)).text()).toBe('a');
  });
});

describe(`FUNCTION_KEYS=on: without a key a function is a 401 without a body, ${SEEN_ON}`, () => {
  const key = () => /x-functions-key: (\S+)/.exec(locked.output())?.[1] ?? '';

  test.each([
    ['no key', () => ({})],
    ['a wrong key', () => ({ 'x-functions-key': `${key()}x` })],
    ['an empty key', () => ({ 'x-functions-key': '' })],
  ])('%s', async (_, headers) => {
    const response = await fetch(`${locked.url}/v1/guarded`, { method: 'POST', body: 'x', headers: headers() });
    expect([response.status, await response.text()]).toEqual([401, '']);
  });

  test('the key that is printed at the start opens it, as a header or as ?code=', async () => {
    const header = { headers: { 'x-functions-key': key() } };
    expect(await (await fetch(`${locked.url}/v1/guarded`, header)).text()).toBe('let in');
    expect(await (await fetch(`${locked.url}/v1/guarded?a=b&code=${key()}`)).text()).toBe('let in');
  });

  test('anonymous functions need none', async () => {
    expect(await (await fetch(`${locked.url}/v1/hello`)).text()).toBe('hello');
  });

  test('off by default', async () => {
    expect(await (await fetch(`${app.url}/v1/guarded`)).text()).toBe('let in');
    expect(app.output()).not.toContain('x-functions-key');
  });
});

test(`every answer is chunked, ${SEEN_ON}`, async () => {
  for (const path of ['hello', 'seen', 'models']) {
    const answer = await raw(app, `GET /v1/${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
    expect(answer.toLowerCase()).toContain('transfer-encoding: chunked\r\n');
    expect(answer.toLowerCase()).not.toContain('content-length');
  }
});
