import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTinyApp, type TinyApp } from './tiny-app.ts';
import { notesOf, trialApp } from './trial-app.ts';

const MB = 1024 * 1024;

let app: TinyApp;
beforeAll(async () => (app = await startTinyApp(trialApp)));
afterAll(() => app.stop());

describe('a client that goes away reaches the app', () => {
  test('before the answer', async () => {
    await fetch(`${app.url}/v1/slow?leaves`, { signal: AbortSignal.timeout(200) }).catch(() => {});
    // Sooner than the answer, which would find nobody there either.
    await expect.poll(async () => (await notesOf(app)).gone, { timeout: 500 }).toContain('/v1/slow?leaves');
  });

  test('in the middle of it', async () => {
    const abort = new AbortController();
    const response = await fetch(`${app.url}/v1/endless?leaves`, { signal: abort.signal });
    await response.body?.getReader().read();
    expect((await notesOf(app)).gone).not.toContain('/v1/endless?leaves');
    abort.abort();
    await expect.poll(async () => (await notesOf(app)).gone).toContain('/v1/endless?leaves');
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
    await expect.poll(async () => (await notesOf(app)).unread).toContain('/v1/refuse?large');
  });
});
