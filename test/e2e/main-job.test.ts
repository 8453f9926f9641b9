import { createHash } from 'node:crypto';
import http from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { EmulatedAzure } from '../../src/dev/emulator/azure.ts';
import { IMAGE_TYPES } from '../../src/image/image.ts';
import { still, stillOfSize } from '../images/still.ts';
import { some } from '../tier.ts';
import { type App, startBoth } from './app.ts';
import { ask, get } from './ask.ts';
import { conforms } from './conforms.ts';

const MAX_IMAGE_BYTES = 20_971_520;

let app: App;
let azure: EmulatedAzure;
beforeAll(async () => ({ app, azure } = await startBoth()));
afterAll(async () => {
  await app.stop();
  azure.close();
});
beforeEach(() => azure.reset());

describe('the answer to a question about an image', () => {
  test('is plain text that contains the answer of the model', async () => {
    const image = await still('image/jpeg', 320, 200);
    const answer = await ask(app.url, image);
    expect(answer).toMatchObject({ status: 200 });
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(answer.text).toContain(`JPEG image of 320 x 200 pixels, ${image.length.toLocaleString('en-US')} bytes`);
  });

  test('is JSON with usage, images and request ids if Accept asks for JSON', async () => {
    const image = await still('image/webp', 320, 200);
    const answer = await ask(app.url, image, { headers: { accept: 'application/json' } });
    expect(answer.json()).toEqual({
      answer: expect.stringContaining('WEBP image of 320 x 200 pixels'),
      refusal: null,
      finishReason: 'stop',
      model: 'emulated-vision-2026-11-01',
      usage: {
        inputTokens: expect.any(Number),
        cachedInputTokens: 0,
        outputTokens: expect.any(Number),
        reasoningTokens: 0,
        totalTokens: expect.any(Number),
      },
      images: [{ type: 'image/webp', width: 320, height: 200, bytes: image.length }],
      requestId: answer.headers.get('x-request-id'),
      upstreamRequestId: expect.stringMatching(/^[\da-f-]{36}$/),
    });
  });

  test('has headers for its id, timings and security, and none for CORS or the name of the server', async () => {
    const { headers } = await ask(app.url, await still('image/png', 8, 8));
    expect(headers.get('x-request-id')).toMatch(/^[\da-f-]{36}$/);
    expect(headers.get('server-timing')).toMatch(
      /^read;dur=[\d.]+, token;dur=[\d.]+, model;dur=[\d.]+, total;dur=[\d.]+$/,
    );
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('cache-control')).toBe('no-store');
    expect([...headers.keys()].filter((name) => /^access-control|^server$|^x-powered-by$/.test(name))).toEqual([]);
  });
});

describe('the request that reaches the model', () => {
  test('is sent by the AzureOpenAI client, with a token and without a key', async () => {
    const image = await still('image/png', 20, 10);
    await ask(app.url, image, { query: { instructions: 'How many boats – 3?', detail: 'low', maxTokens: '99' } });
    const [request] = azure.model.requests;
    expect(request).toMatchObject({ method: 'POST', path: '/openai/deployments/gpt-vision/chat/completions' });
    expect(request?.query.get('api-version')).toBe('2024-10-21');
    expect(request?.headers.authorization).toMatch(/^Bearer ey/);
    expect(request?.headers['api-key']).toBeUndefined();
    expect(request?.headers['user-agent']).toMatch(/^AzureOpenAI\/JS /);
    expect(request?.body).toEqual({
      model: 'gpt-vision',
      messages: [
        { role: 'system', content: expect.stringMatching(/\S/) },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'How many boats – 3?' },
            {
              type: 'image_url',
              image_url: { url: `data:image/png;base64,${image.toString('base64')}`, detail: 'low' },
            },
          ],
        },
      ],
      max_completion_tokens: 99,
    });
  });

  const pixels = IMAGE_TYPES.map(async (type) => ({ type, what: '1 pixel', bytes: await still(type, 1, 1) }));
  const largest = IMAGE_TYPES.map(async (type) => ({
    type,
    what: 'the largest size',
    bytes: await stillOfSize(type, MAX_IMAGE_BYTES),
  }));
  test.each([...pixels, ...some(largest, 2)].map((made, at) => ({ at, made })))(
    'contains the image byte for byte ($at)',
    async ({ made }) => {
      const { type, bytes, what } = await made;
      const answer = await ask(app.url, bytes);
      expect(answer.status, `${type}, ${what}: ${answer.text.slice(0, 300)}`).toBe(200);
      const url = imageUrl(azure);
      expect(url.startsWith(`data:${type};base64,`)).toBe(true);
      expect(sha256(Buffer.from(url.slice(url.indexOf(',') + 1), 'base64'))).toBe(sha256(bytes));
    },
  );
});

describe('the size limit of an image', () => {
  test('rejects a larger image with 413 by its Content-Length, before the body is sent', async () => {
    const { status, body } = await postHeadersFirst(app, Buffer.alloc(MAX_IMAGE_BYTES + 1));
    expect(status).toBe(413);
    expect(JSON.parse(body)).toMatchObject({ code: 'image_too_large', limit: MAX_IMAGE_BYTES });
    expect(azure.model.requests).toHaveLength(0);
  });

  test('rejects a larger image with 413 if the body is chunked', async () => {
    const { status, body } = await postChunked(app.url, Buffer.alloc(MAX_IMAGE_BYTES + 1));
    expect(status).toBe(413);
    expect(JSON.parse(body)).toMatchObject({ code: 'image_too_large' });
  });

  test('accepts a small image if the body is chunked', async () => {
    const { status } = await postChunked(app.url, await still('image/png', 9, 9));
    expect(status).toBe(200);
  });
});

test('health calls neither the model nor the identity endpoint', async () => {
  const health = await get(app.url, 'health');
  expect(health.json()).toEqual({ status: 'ok', version: expect.stringMatching(/^\d+\.\d+\.\d+/) });
  expect(health.headers.get('x-request-id')).toMatch(/\w/);
  expect([azure.model.requests, azure.identity.requests]).toEqual([[], []]);
});

test('20 concurrent requests need at most one token', async () => {
  const image = await still('image/png', 8, 8);
  await Promise.all(Array.from({ length: 20 }, async () => ask(app.url, image)));
  expect(azure.model.requests).toHaveLength(20);
  expect(azure.identity.requests.length).toBeLessThanOrEqual(1);
});

function imageUrl({ model }: EmulatedAzure): string {
  const body = model.requests[0]?.body as {
    messages: [unknown, { content: [unknown, { image_url: { url: string } }] }];
  };
  return body.messages[1].content[1].image_url.url;
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Sends the body only after the app has logged a 413 for the request. */
async function postHeadersFirst(to: App, bytes: Buffer) {
  const logged = to.output().length;
  let isLogged: Promise<void> | undefined;
  const answer = await post(to.url, { 'content-length': bytes.length }, (request) => {
    request.flushHeaders();
    isLogged = expect
      .poll(() => to.output().slice(logged), { timeout: 10_000 })
      .toContain('"status":413')
      .finally(() => request.end(bytes));
    // The rejection is reported below, after the answer.
    isLogged.catch(() => undefined);
  });
  await isLogged;
  return answer;
}

async function postChunked(url: string, bytes: Buffer) {
  return post(url, { 'transfer-encoding': 'chunked' }, (request) => request.end(bytes));
}

async function post(
  url: string,
  headers: http.OutgoingHttpHeaders,
  send: (request: http.ClientRequest) => void,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const target = `${url}/api/processImage?instructions=x`;
    const request = http.request(target, { method: 'POST', headers }, (response) => {
      const { statusCode: status = 0 } = response;
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.on('end', () => {
        const received = new Headers(Object.entries(response.headers).map(([name, value]) => [name, String(value)]));
        conforms({ method: 'POST', url: target, status, headers: received, text: body });
        resolve({ status, body });
        request.destroy();
      });
    });
    request.on('error', reject);
    send(request);
  });
}
