import { once } from 'node:events';
import http from 'node:http';
import { text as textOf } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { still, stillOfSize } from '../images/still.ts';
import { FULL, inTurn, some } from '../tier.ts';
import { SERVED_BY, startBoth } from './app.ts';
import { type Sent, type Way, WAYS as ALL_WAYS } from './faults/way.ts';
import { keepSecret } from './secrets.ts';

/** Fewer ways are enough if the app runs as a server. */
const WAYS = some(ALL_WAYS, SERVED_BY === 'server' ? 3 : 1);
const MAX_IMAGE_BYTES = 1_200_000;
const MAX_BODY_BYTES = 2_000_000;
/** The default, which is also the limit of the model. */
const LARGEST_IMAGE = 20_971_520;
/** Members whose values differ in every answer, even to the same question. */
const VARYING_MEMBERS = /"(requestId|request_id|upstreamRequestId|id|created)":("[^"]*"|\d+)/g;

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

/** Sends a request in pieces, either chunked or with a Content-Length. */
async function send(url: string, method: string, { headers, body }: Sent, how: 'chunked' | 'length'): Promise<Answer> {
  const framing = how === 'chunked' ? { 'transfer-encoding': 'chunked' } : { 'content-length': String(body.length) };
  const request = http.request(url, { method, headers: { ...headers, ...framing }, agent: false });
  for (let at = 0; at < body.length; at += 100_000) request.write(body.subarray(at, at + 100_000));
  request.end();
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  const text = await textOf(response);
  const { statusCode: status = 0, headers: received } = response;
  return { status, type: received['content-type'] ?? '', text: text.replaceAll(VARYING_MEMBERS, '"$1":"…"') };
}

/** Sends a request both chunked and with a Content-Length, and expects the same answer. */
async function answerOf(url: string, sent: Sent, method = 'POST'): Promise<Answer> {
  if (sent.body.length > 0) keepSecret('image', sent.body);
  const [chunked, withLength] = await Promise.all([
    send(url + sent.path, method, sent, 'chunked'),
    send(url + sent.path, method, sent, 'length'),
  ]);
  expect(chunked).toEqual(withLength);
  return chunked;
}

/** Makes a question whose body has exactly so many bytes: with spaces after JSON, or with a larger image in a form. */
async function ofSize(way: Way, bytes: number): Promise<Sent> {
  const put = async (...sizes: number[]): Promise<Sent> => {
    const images = await Promise.all(sizes.map(async (size) => stillOfSize('image/jpeg', size)));
    return way.put({ images, fields: { instructions: 'What is this?' } });
  };
  if (way.body !== 'multipart') {
    const sent = await put(600_000, 600_000);
    return { ...sent, body: Buffer.concat([sent.body, Buffer.alloc(bytes - sent.body.length, ' ')]) };
  }
  const overhead = (await put(960_000, 960_000)).body.length - 1_920_000;
  return put(960_000, bytes - overhead - 960_000);
}

const IMAGES = [
  { what: 'an image', image: async () => still('image/png', 40, 30), status: 200 },
  { what: 'an image at the limit', image: async () => stillOfSize('image/jpeg', MAX_IMAGE_BYTES), status: 200 },
  { what: 'an image over the limit', image: async () => stillOfSize('image/jpeg', MAX_IMAGE_BYTES + 1), status: 413 },
  {
    what: 'a truncated image',
    image: async () => (await still('image/png', 40, 30)).subarray(0, -20),
    status: 422,
  },
  { what: 'a file that is not an image', image: async () => Buffer.from('%PDF-1.7 and so on'), status: 415 },
];

describe('a chunked body gets the same answer as one with a Content-Length', () => {
  const question = { instructions: 'What is this?' };

  test.each(inTurn(WAYS, IMAGES))('$row.name: $way.what: $way.status', async ({ row: way, way: { image, status } }) => {
    const answer = await answerOf(small.app.url, await way.put({ images: [await image()], fields: question }));
    expect(answer.status, answer.text.slice(0, 300)).toBe(status);
  });

  test.each(WAYS)('$name: an empty body is answered with 400', async (way) => {
    const sent = await way.put({ images: [await still('image/png', 8, 8)], fields: question });
    expect((await answerOf(small.app.url, { ...sent, body: Buffer.alloc(0) })).status).toBe(400);
  });

  const waysWithBodyLimit = WAYS.filter(({ body, stream }) => body !== 'raw' && (FULL || !stream));
  const limits = [
    { where: 'at the limit', bytes: MAX_BODY_BYTES, status: 200 },
    { where: 'over the limit', bytes: MAX_BODY_BYTES + 1, status: 413 },
  ];
  describe.each(waysWithBodyLimit)('$name', (way) => {
    test.each(limits)('a body $where is answered with $status', async ({ bytes, status }) => {
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
test.each(some(largest, 2))('with the default limits, an image of %d bytes gets %d', async (bytes, status) => {
  const body = await stillOfSize('image/jpeg', bytes);
  const sent = { path: '/api/processImage?instructions=x', headers: {}, body: Buffer.from(body) };
  expect((await answerOf(large.app.url, sent)).status).toBe(status);
});

test.each(['health', 'health/ready', 'openapi.json', 'playground'])('GET /api/%s ignores a body', async (path) => {
  const body = Buffer.from('not asked for');
  const { status } = await answerOf(small.app.url, { path: `/api/${path}`, headers: {}, body }, 'GET');
  expect(status).toBe(200);
});
