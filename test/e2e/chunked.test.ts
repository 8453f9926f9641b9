import { once } from 'node:events';
import http from 'node:http';
import { text as textOf } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { still, stillOfSize } from '../images/still.ts';
import { FULL, inTurn, some } from '../tier.ts';
import { SERVED_BY, startBoth } from './app.ts';
import { type Sent, type Way, WAYS as ALL_WAYS } from './faults/way.ts';
import { keepSecret } from './secrets.ts';

/** As a server, a few will do. */
const WAYS = some(ALL_WAYS, SERVED_BY === 'server' ? 3 : 1);
const MAX_IMAGE_BYTES = 1_200_000;
const MAX_BODY_BYTES = 2_000_000;
/** The default, which is the most that the model takes. */
const LARGEST_IMAGE = 20_971_520;
/** What differs from one answer to the next, whatever is asked. */
const OWN = /"(requestId|request_id|upstreamRequestId|id|created)":("[^"]*"|\d+)/g;

type Pair = Awaited<ReturnType<typeof startBoth>>;
let small: Pair;
let large: Pair;
beforeAll(async () => {
  const limits = { MAX_IMAGE_BYTES: String(MAX_IMAGE_BYTES), MAX_BODY_BYTES: String(MAX_BODY_BYTES) };
  [small, large] = await Promise.all([startBoth(limits), startBoth()]);
});
afterAll(async () => {
  await Promise.all([small, large].map(async ({ app }) => app.stop()));
  for (const { azure } of [small, large]) azure.close();
});

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

/** Sends a request in pieces, as a stream is sent, with a Content-Length or without. */
async function send(url: string, method: string, { headers, body }: Sent, how: 'chunked' | 'length'): Promise<Answer> {
  const framing = how === 'chunked' ? { 'transfer-encoding': 'chunked' } : { 'content-length': String(body.length) };
  const request = http.request(url, { method, headers: { ...headers, ...framing }, agent: false });
  for (let at = 0; at < body.length; at += 100_000) request.write(body.subarray(at, at + 100_000));
  request.end();
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  const text = await textOf(response);
  const { statusCode: status = 0, headers: received } = response;
  return { status, type: received['content-type'] ?? '', text: text.replaceAll(OWN, '"$1":"…"') };
}

/** The answer to a request sent either way, which has to be the same. */
async function answerOf(url: string, sent: Sent, method = 'POST'): Promise<Answer> {
  if (sent.body.length > 0) keepSecret('image', sent.body);
  const [chunked, withLength] = await Promise.all([
    send(url + sent.path, method, sent, 'chunked'),
    send(url + sent.path, method, sent, 'length'),
  ]);
  expect(chunked).toEqual(withLength);
  return chunked;
}

/** The same question with a body of exactly so many bytes, as spaces behind JSON and as larger images otherwise. */
async function ofSize(way: Way, bytes: number): Promise<Sent> {
  const put = async (...sizes: number[]): Promise<Sent> => {
    const images = await Promise.all(sizes.map(async (size) => stillOfSize('image/jpeg', size)));
    return way.put({ images, fields: { instructions: 'What is this?' } });
  };
  if (way.body !== 'multipart') {
    const sent = await put(600_000, 600_000);
    return { ...sent, body: Buffer.concat([sent.body, Buffer.alloc(bytes - sent.body.length, ' ')]) };
  }
  const beside = (await put(960_000, 960_000)).body.length - 1_920_000;
  return put(960_000, bytes - beside - 960_000);
}

const IMAGES = [
  { what: 'an image', image: async () => still('image/png', 40, 30), status: 200 },
  { what: 'an image at the limit', image: async () => stillOfSize('image/jpeg', MAX_IMAGE_BYTES), status: 200 },
  { what: 'an image over the limit', image: async () => stillOfSize('image/jpeg', MAX_IMAGE_BYTES + 1), status: 413 },
  {
    what: 'an image that is cut off',
    image: async () => (await still('image/png', 40, 30)).subarray(0, -20),
    status: 422,
  },
  { what: 'what is no image', image: async () => Buffer.from('%PDF-1.7 and so on'), status: 415 },
];

describe('a chunked body and one with a Content-Length', () => {
  const question = { instructions: 'What is this?' };

  test.each(inTurn(WAYS, IMAGES))('$row.name: $way.what', async ({ row: way, way: { image, status } }) => {
    const answer = await answerOf(small.app.url, await way.put({ images: [await image()], fields: question }));
    expect(answer.status, answer.text.slice(0, 300)).toBe(status);
  });

  test.each(WAYS)('$name: no body at all', async (way) => {
    const sent = await way.put({ images: [await still('image/png', 8, 8)], fields: question });
    expect((await answerOf(small.app.url, { ...sent, body: Buffer.alloc(0) })).status).toBe(400);
  });

  const whole = WAYS.filter(({ body, stream }) => body !== 'raw' && (FULL || !stream));
  const limits = [
    { where: 'at the limit', bytes: MAX_BODY_BYTES, status: 200 },
    { where: 'over the limit', bytes: MAX_BODY_BYTES + 1, status: 413 },
  ];
  describe.each(whole)('$name', (way) => {
    test.each(limits)('a body $where', async ({ bytes, status }) => {
      const sent = await ofSize(way, bytes);
      expect(sent.body.length).toBe(bytes);
      const answer = await answerOf(small.app.url, sent);
      expect(answer.status, answer.text.slice(0, 300)).toBe(status);
    });
  });
});

const largest: readonly (readonly [bytes: number, status: number])[] = [
  [LARGEST_IMAGE, 200],
  [LARGEST_IMAGE + 1, 413],
];
test.each(some(largest, 2))('an image of %d bytes at the default limits: %d', async (bytes, status) => {
  const body = await stillOfSize('image/jpeg', bytes);
  const sent = { path: '/api/processImage?instructions=x', headers: {}, body: Buffer.from(body) };
  expect((await answerOf(large.app.url, sent)).status).toBe(status);
});

test.each(['health', 'health/ready', 'openapi.json', 'playground'])('GET /api/%s ignores a body', async (path) => {
  const body = Buffer.from('not asked for');
  const { status } = await answerOf(small.app.url, { path: `/api/${path}`, headers: {}, body }, 'GET');
  expect(status).toBe(200);
});
