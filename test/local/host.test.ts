import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { startTinyApp, type TinyApp } from './tiny-app.ts';

const MB = 1024 * 1024;

const source = `
import { app } from '@azure/functions';
import { subscribe } from 'node:diagnostics_channel';
import { setTimeout as sleep } from 'node:timers/promises';

const addresses = [], gone = [], unread = [];
subscribe('http.server.request.start', ({ server, request, response }) => {
  addresses.push(server.address().address);
  const library = request.headers['x-forwarded-host'];
  request.socket.once('close', () => { if (library && !request.complete && response.writableFinished) unread.push(request.url); });
  if (library && request.url.endsWith('?severed')) setTimeout(() => response.socket.destroy(), 150);
  response.once('close', () => { if (library && !response.writableFinished) gone.push(request.url); });
});

app.setup({ enableHttpStream: true });
app.hook.appStart(() => console.log('hook: start'));
app.hook.appTerminate(async () => { await sleep(50); console.log('hook: terminate'); });
app.hook.preInvocation(({ invocationContext }) => { invocationContext.extraInputs.set('before', 'hooked'); });

app.get('hello', (req, context) => {
  context.log('hello from the handler');
  context.debug('too quiet to be shown');
  return { headers: { 'x-hooked': context.extraInputs.get('before') }, cookies: [{ name: 'a', value: '1' }, { name: 'b', value: '2' }], body: 'hello' };
});
app.get('seen', (req) => ({ jsonBody: { url: req.url, headers: Object.fromEntries(req.headers) } }));
app.http('same-a', { route: 'same', methods: ['GET'], handler: () => ({ body: 'a' }) });
app.http('same-b', { route: 'same', methods: ['GET', 'POST'], handler: () => ({ body: 'b' }) });
app.post('echo', (req) => ({ body: req.body }));
app.post('stalls', async () => { await sleep(3000); return { body: 'read nothing' }; });
app.post('refuse', () => ({ status: 413, jsonBody: { code: 'body_too_large' } }));
app.get('throws', () => { throw new Error('thrown on purpose'); });
app.get('nothing', () => {});
app.get('breaks', () => ({ body: new ReadableStream({ async pull(controller) {
  controller.enqueue(new TextEncoder().encode('half'));
  await sleep(100);
  controller.error(new Error('broken on purpose'));
} }) }));
let pulled = 0;
app.get('endless', () => ({ body: new ReadableStream({ async pull(controller) {
  controller.enqueue(new TextEncoder().encode('data: ' + pulled++ + '\\n\\n'));
  await sleep(20);
} }) }));
app.get('slow', async () => { await sleep(1000); return { body: 'done' }; });
app.get('notes', () => ({ jsonBody: { addresses, gone, unread } }));
`;

let app: TinyApp;
beforeAll(async () => (app = await startTinyApp(source)));
afterAll(() => app.stop());

const Notes = z.object({ addresses: z.array(z.string()), gone: z.array(z.string()), unread: z.array(z.string()) });

async function notes(): Promise<z.infer<typeof Notes>> {
  return Notes.parse(await (await fetch(`${app.url}/v1/notes`)).json());
}

describe('routes', () => {
  test('are found under the prefix, whatever their case, hooks and cookies included', async () => {
    const response = await fetch(`${app.url}/V1/Hello/?x=1`);
    expect(await response.text()).toBe('hello');
    expect(response.headers.get('x-hooked')).toBe('hooked');
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
  });

  test.each([
    ['GET', '/v1/unknown'],
    ['GET', '/hello'],
    ['POST', '/v1/hello'],
    ['HEAD', '/v1/hello'],
  ])('%s %s is an empty 404', async (method, path) => {
    const response = await fetch(`${app.url}${path}`, { method });
    expect(response.status).toBe(404);
    expect(await response.text()).toBe('');
  });

  test('are tried in the order of the functions names', async () => {
    expect(await (await fetch(`${app.url}/v1/same`)).text()).toBe('a');
    expect(await (await fetch(`${app.url}/v1/same`, { method: 'POST' })).text()).toBe('b');
  });
});

test('a handler sees the client\'s URL and headers, and no invocation id of the client', async () => {
  const headers = { 'x-custom': 'kept', 'x-ms-invocation-id': 'forged', 'x-forwarded-host': 'elsewhere' };
  const response = await fetch(`${app.url}/v1/seen?a=b%20c`, { headers });
  expect(await response.json()).toMatchObject({ url: `${app.url}/v1/seen?a=b%20c`, headers: { 'x-custom': 'kept' } });
  expect(response.headers.get('x-ms-invocation-id')).toMatch(/^[\da-f-]{36}$/);
});

describe('bodies', () => {
  test.each(['with a length', 'chunked'])('go up and come down whole, %s', async (how) => {
    const bytes = randomBytes(20 * MB);
    const body = how === 'chunked' ? Readable.toWeb(Readable.from([bytes.subarray(0, MB), bytes.subarray(MB)])) : bytes;
    const response = await fetch(`${app.url}/v1/echo`, { method: 'POST', body, duplex: 'half' });
    const sha256 = (data: Uint8Array) => createHash('sha256').update(data).digest('hex');
    expect(sha256(await response.bytes())).toBe(sha256(bytes));
  });

  test('are not waited for: what goes up in one moment comes down in it', async () => {
    const upload = request(`${app.url}/v1/echo`, { method: 'POST' });
    upload.write('first');
    const [response] = await once(upload, 'response');
    expect(String((await once(response, 'data'))[0])).toBe('first');
    upload.end('last');
    expect(String((await once(response, 'data'))[0])).toBe('last');
  });

  test('hold the sender back while the app does not read', async () => {
    const upload = request(`${app.url}/v1/stalls`, { method: 'POST', headers: { 'content-length': 400 * MB } });
    upload.on('error', () => {});
    const piece = Buffer.alloc(MB);
    let sent = 0;
    while (sent < 400 && (upload.write(piece) || (await Promise.race([once(upload, 'drain'), sleep(1000)])))) sent += 1;
    upload.destroy();
    expect(sent).toBeLessThan(100);
  });

  test.each(['breaks', 'endless?severed'])('that break off in the app break off for the client: %s', async (path) => {
    const response = await fetch(`${app.url}/v1/${path}`);
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow('terminated');
  });
});

describe('a client that goes away reaches the app', () => {
  test('before the answer', async () => {
    await fetch(`${app.url}/v1/slow?leaves`, { signal: AbortSignal.timeout(200) }).catch(() => {});
    // Sooner than the answer, which would find nobody there either.
    await expect.poll(async () => (await notes()).gone, { timeout: 500 }).toContain('/v1/slow?leaves');
  });

  test('in the middle of it', async () => {
    const abort = new AbortController();
    const response = await fetch(`${app.url}/v1/endless?leaves`, { signal: abort.signal });
    await response.body?.getReader().read();
    expect((await notes()).gone).not.toContain('/v1/endless?leaves');
    abort.abort();
    await expect.poll(async () => (await notes()).gone).toContain('/v1/endless?leaves');
  });
});

describe('an answer before the end of the request', () => {
  test('arrives, even at a client that first sends all it can', async () => {
    const socket = connect(Number(new URL(app.url).port), '127.0.0.1');
    socket.write(`POST /v1/refuse HTTP/1.1\r\nhost: x\r\ncontent-length: ${8 * MB}\r\n\r\n`);
    for (let sent = 0; sent < 7; sent += 1) socket.write(Buffer.alloc(MB));
    const answer = Buffer.concat(await socket.toArray()).toString();
    expect(answer).toMatch(/^HTTP\/1.1 413 .*"code":"body_too_large"/s);
    expect(answer.toLowerCase()).toContain('connection: close');
  });

  test('ends the connection, however much was announced', async () => {
    const upload = request(`${app.url}/v1/refuse?large`, { method: 'POST', headers: { 'content-length': 4096 * MB } });
    upload.on('error', () => {});
    upload.write('x');
    const [response] = await once(upload, 'response');
    expect(response.statusCode).toBe(413);
    expect(JSON.parse(Buffer.concat(await response.toArray()).toString())).toEqual({ code: 'body_too_large' });
    await once(upload, 'close');
    await expect.poll(async () => (await notes()).unread).toContain('/v1/refuse?large');
  });
});

describe('a function that fails', () => {
  test.each(['throws', 'nothing'])('%s: an empty 500 and a line in the log', async (path) => {
    const response = await fetch(`${app.url}/v1/${path}?secret=1`);
    expect([response.status, await response.text()]).toEqual([500, '']);
    await expect.poll(() => app.output()).toMatch(new RegExp(`error Functions\\.${path}: Error: `));
    expect(app.output()).not.toContain('secret');
  });
});

test('the log has what the handler said, in the agreed form', async () => {
  await fetch(`${app.url}/v1/hello`);
  await expect.poll(() => app.output()).toMatch(/^\[\d{4}-\S+Z\] info {2}Functions\.hello: hello from the handler$/m);
  expect(app.output()).not.toContain('too quiet');
});

test('nothing listens on the network, the library\'s own server included', async () => {
  const addresses = new Set((await notes()).addresses);
  expect([...addresses]).toEqual(['127.0.0.1']);
});

describe('the end', () => {
  test('waits for what is under way, runs the hooks and exits with 0, even if a Ctrl-C comes twice', async () => {
    const other = await startTinyApp(source);
    const answer = fetch(`${other.url}/v1/slow`).then((response) => response.text());
    await sleep(300);
    const first = other.stop('SIGINT');
    await sleep(100);
    const second = other.stop('SIGINT');
    expect(await answer).toBe('done');
    expect([await first, await second]).toEqual([0, 0]);
    expect(other.output()).toMatch(/hook: start[^]*hook: terminate/);
  });

  test('comes at once with a second Ctrl-C later', async () => {
    const other = await startTinyApp(source);
    const broken = expect(fetch(`${other.url}/v1/endless`).then((response) => response.text())).rejects.toThrow('terminated');
    await sleep(300);
    const first = other.stop('SIGINT');
    await sleep(700);
    const started = performance.now();
    expect([await other.stop('SIGINT'), await first]).toEqual([130, 130]);
    expect(performance.now() - started).toBeLessThan(1000);
    await broken;
  });
});

describe('an app that cannot be served', () => {
  test.each([
    ['does not stream', `app.get('a', () => ({}));`, 'enableHttpStream'],
    ['has no function', ``, 'registered no function'],
    ['has route parameters', `app.setup({ enableHttpStream: true }); app.http('a', { route: 'a/{id}', handler: () => ({}) });`, 'a/{id}'],
    ['throws', `throw new Error('The settings need attention: NAME is not set');`, 'The settings need attention: NAME is not set'],
  ])('%s: the start fails and says why', async (_, body, reason) => {
    const start = startTinyApp(`import { app } from '@azure/functions'; ${body}`);
    await expect(start).rejects.toThrow(reason);
  });
});
