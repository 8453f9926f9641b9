import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { EmulatedAzure } from '../../src/dev/emulator/azure.ts';
import { still } from '../images/still.ts';
import { type App, startBoth, SERVED_BY } from './app.ts';
import { ask, type Asked, post } from './ask.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const MULTIPART = { 'content-type': 'multipart/form-data; boundary=XX' };

/** Less than the default, which is the host's own limit, so that the app gets the request. */
const MAX_BODY_BYTES = 50_000_000;

let app: App;
let azure: EmulatedAzure;
let image: Buffer;
let base64: string;
beforeAll(async () => {
  ({ app, azure } = await startBoth({ REQUEST_TIMEOUT_SECONDS: '3', MAX_BODY_BYTES: String(MAX_BODY_BYTES) }));
  image = await still('image/png', 16, 16);
  base64 = image.toString('base64');
  expect((await ask(app.url, image)).status).toBe(200); // loads what the app loads on first use
});
afterAll(async () => {
  await app.stop();
  azure.close();
});
beforeEach(() => azure.reset());

interface Case {
  readonly what: string;
  readonly send: () => Promise<Asked>;
  readonly status: number;
  readonly code: string;
  readonly field?: string;
}

const json =
  (body: unknown): Case['send'] =>
  async () =>
    post(app.url, typeof body === 'string' ? body : JSON.stringify(body), JSON_TYPE);
const form =
  (...parts: string[]): Case['send'] =>
  async () =>
    post(app.url, `${parts.map((part) => `--XX\r\n${part}\r\n`).join('')}--XX--\r\n`, MULTIPART);
const field = (name: string, value: string): string => `Content-Disposition: form-data; name="${name}"\r\n\r\n${value}`;
const question = { instructions: 'What?' };

const cases: Case[] = [
  {
    what: 'multipart without a boundary',
    send: async () => post(app.url, 'x', { 'content-type': 'multipart/form-data' }),
    status: 400,
    code: 'invalid_request',
    field: 'body',
  },
  {
    what: 'multipart with an empty boundary',
    send: async () =>
      post(app.url, `--XX\r\n${field('instructions', 'a')}\r\n--XX--\r\n`, {
        'content-type': 'multipart/form-data; boundary=',
      }),
    status: 400,
    code: 'invalid_request',
    field: 'body',
  },
  {
    what: 'multipart that ends within a part',
    send: async () => post(app.url, `--XX\r\n${field('instructions', 'What')}`, MULTIPART),
    status: 400,
    code: 'invalid_request',
    field: 'body',
  },
  {
    what: 'multipart with parts after its end',
    send: async () => post(app.url, `--XX--\r\n--XX\r\n${field('instructions', 'a')}\r\n--XX--`, MULTIPART),
    status: 400,
    code: 'missing_instructions',
  },
  {
    what: 'an empty multipart body',
    send: async () => post(app.url, '', MULTIPART),
    status: 400,
    code: 'invalid_request',
    field: 'body',
  },
  {
    what: 'a multipart body without parts',
    send: async () => post(app.url, 'Dear Sir or Madam', MULTIPART),
    status: 400,
    code: 'invalid_request',
    field: 'body',
  },
  {
    what: 'a part without a name',
    send: form('Content-Disposition: form-data\r\n\r\nx'),
    status: 400,
    code: 'invalid_request',
    field: 'body',
  },
  {
    what: 'a file in an unknown field',
    send: form('Content-Disposition: form-data; name="photo"; filename="a.png"\r\n\r\nx'),
    status: 400,
    code: 'invalid_request',
    field: 'photo',
  },
  {
    what: 'a field given twice',
    send: form(field('instructions', 'a'), field('instructions', 'b')),
    status: 400,
    code: 'invalid_request',
    field: 'instructions',
  },
  {
    what: 'an unknown field',
    send: form(field('instructions', 'a'), field('question', 'b'), field('image', 'x')),
    status: 400,
    code: 'invalid_request',
    field: 'question',
  },
  {
    what: '10,000 tiny parts',
    send: form(...Array.from({ length: 10_000 }, (_, at) => field(`f${at}`, 'x'))),
    status: 400,
    code: 'invalid_request',
    field: 'body',
  },
  {
    what: '10,000 tiny images',
    send: form(...Array.from({ length: 10_000 }, () => field('image', 'x'))),
    status: 400,
    code: 'too_many_images',
  },
  { what: 'a form without an image', send: form(field('instructions', 'a')), status: 400, code: 'empty_image' },
  {
    what: 'a form with an empty image',
    send: form(field('instructions', 'a'), field('image', '')),
    status: 400,
    code: 'empty_image',
  },
  {
    what: 'JSON that ends within a string',
    send: json('{"instructions": "secret-words'),
    status: 400,
    code: 'invalid_request',
    field: 'body',
  },
  {
    what: 'JSON that ends within an object',
    send: json('{"instructions": "secret-words"'),
    status: 400,
    code: 'invalid_request',
    field: 'body',
  },
  { what: 'an empty JSON body', send: json(''), status: 400, code: 'invalid_request', field: 'body' },
  { what: 'a JSON array', send: json([]), status: 400, code: 'invalid_request', field: 'body' },
  {
    what: 'instructions of the wrong type',
    send: () => json({ instructions: 7, images: [base64] })(),
    status: 400,
    code: 'invalid_request',
    field: 'instructions',
  },
  {
    what: 'images that are not an array',
    send: () => json({ ...question, images: base64 })(),
    status: 400,
    code: 'invalid_request',
    field: 'images',
  },
  {
    what: 'an image that is not a string',
    send: json({ ...question, images: [{}] }),
    status: 400,
    code: 'invalid_request',
    field: 'images[0]',
  },
  {
    what: 'the URL of an image',
    send: json({ ...question, images: ['https://example.com/cat.png'] }),
    status: 400,
    code: 'invalid_request',
    field: 'images[0]',
  },
  {
    what: 'invalid base64',
    send: json({ ...question, images: ['not base64!'] }),
    status: 400,
    code: 'invalid_request',
    field: 'images[0]',
  },
  {
    what: '4 MB of invalid base64',
    send: json({ ...question, images: [`${'A'.repeat(2_000_000)}*${'A'.repeat(2_000_000)}`] }),
    status: 400,
    code: 'invalid_request',
    field: 'images[0]',
  },
  {
    what: 'an empty data URL',
    send: json({ ...question, images: ['data:image/png;base64,'] }),
    status: 400,
    code: 'empty_image',
  },
  { what: 'no images', send: json({ ...question, images: [] }), status: 400, code: 'empty_image' },
  {
    what: '40 MB of nested arrays',
    send: json('['.repeat(40_000_000)),
    status: 400,
    code: 'invalid_request',
    field: 'body',
  },
  {
    what: '3 MB of nested arrays',
    send: json('['.repeat(3_000_000)),
    status: 400,
    code: 'invalid_request',
    field: 'body',
  },
  {
    what: '40 MB of empty strings',
    send: json(`[${'"",'.repeat(13_000_000)}""]`),
    status: 400,
    code: 'invalid_request',
    field: 'body',
  },
  {
    what: '40 MB of backslashes',
    send: json(`{"instructions":"${'\\'.repeat(40_000_000)}"}`),
    status: 400,
    code: 'invalid_request',
    field: 'body',
  },
  {
    what: 'instructions of 100,000 quotation marks',
    send: json({ instructions: '"'.repeat(100_000), images: ['AAAA'] }),
    status: 400,
    code: 'invalid_request',
    field: 'instructions',
  },
  {
    what: 'a body that exceeds MAX_BODY_BYTES',
    send: json('x'.repeat(MAX_BODY_BYTES + 1)),
    status: 413,
    code: 'body_too_large',
  },
];

// A request that took longer than the deadline of three seconds would be answered with 408.
test.each(cases)('$what: $status $code in time, without a model call', async ({ send, status, code, field: at }) => {
  const answer = await send();
  expect(answer.status, answer.text.slice(0, 500)).toBe(status);
  expect(answer.json()).toMatchObject({ code, ...(at ? { errors: [expect.objectContaining({ field: at })] } : {}) });
  expect(answer.text + app.output()).not.toContain('secret-words');
  expect(azure.model.requests).toEqual([]);
});

describe('a body', () => {
  /** Announces ten bytes, sends one after each pause, and resolves with the whole response. */
  async function trickle(pauseMs: number): Promise<string> {
    const socket = connect(Number(new URL(app.url).port), '127.0.0.1');
    socket.write('POST /api/processImage?instructions=x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n');
    socket.write('Content-Length: 10\r\n\r\n');
    const drip = setInterval(() => socket.write('x'), pauseMs);
    const answer = Buffer.concat(await socket.toArray()).toString();
    clearInterval(drip);
    return answer;
  }

  test('is answered with 408 if it is complete only after the deadline', async () => {
    expect(await trickle(400)).toMatch(/^HTTP\/1\.1 408 [^]*request_timeout/);
  });

  test('that never arrives is answered with an empty 500 by the Functions host, and with 408 by the server', async () => {
    const expected = SERVED_BY === 'server' ? /^HTTP\/1\.1 408 [^]*"request_timeout"/ : /^HTTP\/1\.1 500 [^]*\r\n\r\n$/;
    expect(await trickle(60_000)).toMatch(expected);
  });

  test('whose client disconnects does not affect the next request', async () => {
    const socket = connect(Number(new URL(app.url).port), '127.0.0.1');
    socket.write('POST /api/processImage?instructions=x HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc');
    await new Promise((resolve) => setTimeout(resolve, 200));
    socket.destroy();
    expect((await ask(app.url, image)).status).toBe(200);
    expect(app.output()).not.toContain('failed unexpectedly');
  });
});
