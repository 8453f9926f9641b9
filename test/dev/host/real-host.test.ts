import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTinyApp, type TinyApp } from './tiny-app.ts';
import { trialApp } from './trial-app.ts';

/** The real Functions host, whose behaviour was observed with the Node worker 3.9.1 on 2026-11-26. */
const OBSERVED_ON = 'like host 4.1037';
const MB = 1024 * 1024;
const SMALL_LIMIT = 3 * MB;

const catchAll = `
const ALL = ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'PATCH', 'OPTIONS'];
const refuse = (req) => ({ status: 405, headers: { allow: 'GET' }, jsonBody: req.params });
app.http('~rest', { route: '{*path}', methods: ALL, handler: refuse });
`;

let app: TinyApp;
let withCatchAll: TinyApp;
let withKeys: TinyApp;
beforeAll(async () => {
  [app, withCatchAll, withKeys] = await Promise.all([
    startTinyApp(trialApp),
    startTinyApp(trialApp + catchAll, { FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: String(SMALL_LIMIT) }),
    startTinyApp(trialApp + catchAll, { FUNCTION_KEYS: 'on' }),
  ]);
});
afterAll(() => Promise.all([app.stop(), withCatchAll.stop(), withKeys.stop()]));

/** Sends bytes unchanged. Resolves with everything that comes back until the connection ends. */
async function raw({ url }: TinyApp, ...pieces: (string | Buffer)[]): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  for (const piece of pieces) socket.write(piece);
  return Buffer.concat(await socket.toArray()).toString();
}

const noBody = /\r\n\r\n$/;

describe(`an answer is sent only after the whole request has arrived, ${OBSERVED_ON}`, () => {
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

  test('the connection then serves the next request', async () => {
    const refused = `POST /v1/refuse HTTP/1.1\r\nhost: x\r\ncontent-length: ${MB}\r\n\r\n`;
    const next = 'GET /v1/hello HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n';
    const answers = await raw(app, refused, Buffer.alloc(MB), next);
    expect(answers.match(/^HTTP\/1\.1 \d+/gm)).toEqual(['HTTP/1.1 413', 'HTTP/1.1 200']);
  });
});

describe(`a body over the limit gets a 500 without a body, ${OBSERVED_ON}`, () => {
  test('the limit is 100 MiB', async () => {
    const head = (bytes: number) => `POST /v1/refuse HTTP/1.1\r\nhost: x\r\ncontent-length: ${bytes}\r\n\r\n`;
    expect(await raw(app, head(100 * MB + 1))).toMatch(/^HTTP\/1\.1 500 /);
    const whole = Array.from({ length: 100 }, () => Buffer.alloc(MB));
    const upload = request(`${app.url}/v1/refuse`, { method: 'POST', headers: { 'content-length': 100 * MB } });
    for (const piece of whole) if (!upload.write(piece)) await once(upload, 'drain');
    upload.end();
    const [answer] = await once(upload, 'response');
    expect(answer.resume().statusCode).toBe(413);
  });

  test('FUNCTIONS_REQUEST_BODY_SIZE_LIMIT changes the limit, and the log says why a request fails', async () => {
    const send = async (body: Buffer<ArrayBuffer>) => fetch(`${withCatchAll.url}/v1/echo`, { method: 'POST', body });
    expect((await (await send(randomBytes(SMALL_LIMIT))).bytes()).length).toBe(SMALL_LIMIT);
    const tooLarge = await send(randomBytes(SMALL_LIMIT + 1));
    expect([tooLarge.status, await tooLarge.text()]).toEqual([500, '']);
    const logged = 'error Functions.echo: The body is larger than 3145728 bytes';
    await expect.poll(() => withCatchAll.output()).toContain(logged);
  });

  test('the limit applies to chunked bodies, too', async () => {
    const chunk = `100000\r\n${'x'.repeat(MB)}\r\n`;
    const head = 'POST /v1/echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n';
    const answer = await raw(withCatchAll, head, chunk, chunk, chunk, chunk);
    expect(answer).toMatch(/^HTTP\/1\.1 500 /);
    expect(answer).toMatch(noBody);
  });
});

describe(`a body slower than 240 bytes a second after 5 s gets a 500 without a body, ${OBSERVED_ON}`, () => {
  test.concurrent.each([
    ['one byte a second is too slow', 1, /^HTTP\/1\.1 500 [^]*\r\n\r\n$/],
    ['400 bytes a second are fast enough', 400, /^HTTP\/1\.1 200 /],
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

describe(`the head of a request, ${OBSERVED_ON}`, () => {
  const padded = (target: string, headers: number) =>
    `GET ${target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-pad: ${'y'.repeat(headers)}\r\n\r\n`;

  test.each([
    ['31 KB of headers are accepted', '/v1/hello', 31 * 1024, 200],
    ['headers over 32 KB get a 431', '/v1/hello', 32 * 1024, 431],
    ['headers far over 32 KB get a 431', '/v1/hello', 200_000, 431],
    ['a request line of 8 KB is accepted', `/v1/hello?${'x'.repeat(8_150)}`, 0, 200],
    ['a request line over 8 KB gets a 414', `/v1/hello?${'x'.repeat(8_192)}`, 0, 414],
    ['a request line far over 8 KB gets a 414', `/v1/hello?${'x'.repeat(200_000)}`, 0, 414],
  ])('%s', async (_, target, headers, status) => {
    const answer = await raw(app, padded(target, headers));
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    if (status !== 200) expect(answer).toMatch(noBody);
  });

  test('Expect: 100-continue gets a 100 if a function takes the request, or else a 404 at once', async () => {
    const head = (path: string) =>
      `POST ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n`;
    expect(await raw(app, head('/v1/echo'), 'ab')).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /);
    expect(await raw(app, head('/v1/unknown'))).toMatch(/^HTTP\/1\.1 404 /);
  });
});

describe(`a request that no function takes gets a 404 without a body, ${OBSERVED_ON}`, () => {
  const unmatched = [
    ['POST', '/v1/hello'],
    ['HEAD', '/v1/hello'],
    ['OPTIONS', '/v1/hello'],
    ['GET', '/v1/unknown'],
    ['POST', '/v1/deployments/a/b/chat'],
  ] as const;

  test.each([...unmatched, ['GET', '/hello'] as const])('%s %s', async (method, path) => {
    const response = await fetch(`${app.url}${path}`, { method });
    expect([response.status, await response.text()]).toEqual([404, '']);
  });

  test.each(unmatched)('%s %s goes to a function with the route {*path}', async (method, path) => {
    const response = await fetch(`${withCatchAll.url}${path}`, { method });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET']);
    const rest = JSON.stringify({ path: path.slice('/v1/'.length) });
    expect(await response.text()).toBe(method === 'HEAD' ? '' : rest);
  });

  test('the route {*path} takes only paths under the prefix', async () => {
    expect((await fetch(`${withCatchAll.url}/hello`)).status).toBe(404);
    expect((await fetch(`${withCatchAll.url}/v1/`)).status).toBe(405);
  });

  test('the 404 does not wait for the upload', async () => {
    const head = `POST /v1/unknown HTTP/1.1\r\nhost: x\r\ncontent-length: ${8 * MB}\r\n\r\n`;
    expect(await raw(app, head, Buffer.alloc(7 * MB))).toMatch(/^HTTP\/1\.1 404 /);
  });
});

describe(`routes, ${OBSERVED_ON}`, () => {
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
    // In the real host, too, values of the query are among the parameters.
    ['/v1/models?id=query&other=1', '{"params":{"id":"query","other":"1"}}'],
    ['/v1/models/route?id=query', '{"params":{"id":"route"}}'],
  ])('%s', async (path, answer) => {
    const text = await raw(app, `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
    expect(text).toContain(answer);
  });

  test('a value that does not satisfy the constraint does not match', async () => {
    expect((await fetch(`${app.url}/v1/v2/chat`)).status).toBe(404);
  });

  test('are tried in the order of the function names, and the first with the right route and method wins', async () => {
    expect(await (await fetch(`${app.url}/v1/same`)).text()).toBe('a');
    expect(await (await fetch(`${app.url}/v1/same`, { method: 'POST' })).text()).toBe('b');
    // '~rest' sorts last, so it takes only requests that no other function takes.
    expect(await (await fetch(`${withCatchAll.url}/v1/same`)).text()).toBe('a');
  });
});

describe(`with FUNCTION_KEYS=on, a request without a valid key gets a 401 without a body, ${OBSERVED_ON}`, () => {
  const key = () => /x-functions-key: (\S+)/.exec(withKeys.output())?.[1] ?? '';

  test.each([
    ['no key', () => ({})],
    ['a wrong key', () => ({ 'x-functions-key': `${key()}x` })],
    ['an empty key', () => ({ 'x-functions-key': '' })],
  ])('%s', async (_, headers) => {
    const response = await fetch(`${withKeys.url}/v1/guarded`, { method: 'POST', body: 'x', headers: headers() });
    expect([response.status, await response.text()]).toEqual([401, '']);
  });

  test('the key that is printed at startup is accepted in a header or as ?code=', async () => {
    const header = { headers: { 'x-functions-key': key() } };
    expect(await (await fetch(`${withKeys.url}/v1/guarded`, header)).text()).toBe('let in');
    expect(await (await fetch(`${withKeys.url}/v1/guarded?a=b&code=${key()}`)).text()).toBe('let in');
  });

  test('anonymous functions need no key', async () => {
    expect(await (await fetch(`${withKeys.url}/v1/hello`)).text()).toBe('hello');
  });

  test('without FUNCTION_KEYS, no function needs a key', async () => {
    expect(await (await fetch(`${app.url}/v1/guarded`)).text()).toBe('let in');
    expect(app.output()).not.toContain('x-functions-key');
  });
});

test(`every answer is chunked, ${OBSERVED_ON}`, async () => {
  for (const path of ['hello', 'seen', 'models']) {
    const answer = await raw(app, `GET /v1/${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
    expect(answer.toLowerCase()).toContain('transfer-encoding: chunked\r\n');
    expect(answer.toLowerCase()).not.toContain('content-length');
  }
});
