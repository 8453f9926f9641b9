import { request } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type EmulatedAzure, startAzure } from '../../../src/dev/emulator/azure.ts';
import { collect, createClient, question } from './client.ts';

const body = { model: 'gpt-vision', messages: [question('Hello?')] };

let azure: EmulatedAzure;
let client: ReturnType<typeof createClient>;
beforeAll(async () => {
  azure = await startAzure({ record: true });
  client = createClient(azure);
});
beforeEach(() => azure.reset());
afterAll(() => {
  azure.close();
  vi.unstubAllEnvs();
});

const ask = () => client.chat.completions.create(body).asResponse();

/** Sends a request without a token. Faults apply before the token is checked. */
const get = (init?: RequestInit) => fetch(new URL('/anything?a=b', azure.env['AZURE_OPENAI_ENDPOINT']), init);

describe('a fault', () => {
  test('happens the given number of times, in the order queued, and then no more', async () => {
    azure.model.fail({ status: 429, headers: { 'retry-after': '1' } }, 2);
    azure.model.fail({ status: 500 });
    const statuses = [];
    for (let i = 0; i < 4; i += 1) statuses.push((await ask().catch((error) => error)).status);
    expect(statuses).toEqual([429, 429, 500, 200]);
  });

  test('happens until the reset if its number of times is Infinity', async () => {
    azure.model.fail({ status: 503 }, Infinity);
    for (let i = 0; i < 3; i += 1) expect((await get()).status).toBe(503);
    azure.reset();
    expect((await get()).status).toBe(401);
  });

  test("has Azure's error format if it has no body of its own", async () => {
    azure.model.fail({ status: 503, headers: { 'retry-after': '7' } });
    const response = await get();
    expect(response.headers.get('retry-after')).toBe('7');
    expect(await response.json()).toEqual({ error: { code: '503', message: 'Service Unavailable' } });
  });

  test('sends an object as JSON and a string unchanged', async () => {
    azure.model.fail({ status: 401, body: { statusCode: 401, message: 'flat' } });
    azure.model.fail({ body: '<html>', headers: { 'content-type': 'text/html' } });
    expect(await (await get()).json()).toEqual({ statusCode: 401, message: 'flat' });
    const html = await get();
    expect([html.status, html.headers.get('content-type'), await html.text()]).toEqual([200, 'text/html', '<html>']);
  });

  test('delays the correct answer', async () => {
    azure.model.fail({ delayMs: 300 });
    const started = performance.now();
    expect((await ask()).status).toBe(200);
    expect(performance.now() - started).toBeGreaterThan(290);
  });

  test('cuts the connection before the headers', async () => {
    azure.model.fail({ breakOff: 'before-headers' });
    await expect(get()).rejects.toThrow('fetch failed');
  });

  test('cuts the connection in the middle of a body', async () => {
    azure.model.fail({ breakOff: 'mid-body' });
    const response = await ask();
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow('terminated');
  });

  test('cuts the connection in the middle of a stream, after some words', async () => {
    azure.model.fail({ breakOff: 'mid-body' });
    const words: string[] = [];
    const read = async () => {
      for await (const { choices } of await client.chat.completions.create({ ...body, stream: true })) {
        words.push(choices[0]?.delta.content ?? '');
      }
    };
    await expect(read()).rejects.toThrow('terminated');
    expect(words.join('')).toMatch(/^\[emulated Azure\]/);
    expect(words.join('')).not.toContain('Hello?');
  });

  test('leaves a request without an answer', async () => {
    azure.model.fail({ silent: true });
    await expect(get({ signal: AbortSignal.timeout(300) })).rejects.toThrow('timeout');
  });

  test('delays each event of a stream', async () => {
    azure.model.fail({ wordDelayMs: 50 });
    const started = performance.now();
    const chunks = await collect(await client.chat.completions.create({ ...body, stream: true }));
    expect(performance.now() - started).toBeGreaterThan(50 * chunks.length - 10);
  });
});

describe('a recorded request', () => {
  test('has the method, path, query, headers, body and time', async () => {
    await client.chat.completions.create(body);
    const [record] = azure.model.requests;
    expect(record).toMatchObject({ method: 'POST', path: '/openai/deployments/gpt-vision/chat/completions', body });
    expect(record?.query.get('api-version')).toBe('2024-10-21');
    expect(record?.headers['user-agent']).toMatch(/^AzureOpenAI\/JS/);
    expect(Date.now() - Number(record?.receivedAt)).toBeLessThan(5000);
    expect(await record?.closedEarly).toBe(false);
  });

  test('says that the client disconnected while it waited for the answer', async () => {
    azure.model.fail({ silent: true });
    await get({ signal: AbortSignal.timeout(200) }).catch(() => {});
    expect(await azure.model.requests[0]?.closedEarly).toBe(true);
  });

  test('says that the client disconnected in the middle of its upload', async () => {
    const upload = request(new URL('/x', azure.env['AZURE_OPENAI_ENDPOINT']), {
      method: 'POST',
      headers: { 'content-length': 9 },
    });
    upload.on('error', () => {});
    upload.write('half', () => setTimeout(() => upload.destroy(), 100));
    await expect.poll(() => azure.model.requests.length).toBe(1);
    expect(await azure.model.requests[0]?.closedEarly).toBe(true);
    expect(azure.model.requests[0]?.body).toBeUndefined();
  });

  test('does not say that the client disconnected if the emulator cut the connection', async () => {
    azure.model.fail({ breakOff: 'before-headers' });
    await get().catch(() => {});
    expect(await azure.model.requests[0]?.closedEarly).toBe(false);
  });

  test('is not kept by default', async () => {
    const byDefault = await startAzure();
    await fetch(byDefault.env['AZURE_OPENAI_ENDPOINT'] ?? '');
    expect(byDefault.model.requests).toEqual([]);
    byDefault.close();
  });
});
