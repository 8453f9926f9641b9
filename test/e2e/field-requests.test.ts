import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { EmulatedAzure } from '../../src/dev/emulator/azure.ts';
import { still, stillOfSize } from '../images/still.ts';
import { FULL } from '../tier.ts';
import { type App, startBoth } from './app.ts';
import { type Asked, ask, checkedFetch, post } from './ask.ts';

// Clients really send these requests: they are taken from public bug reports.

const JSON_TYPE = { 'content-type': 'application/json' };
const INSTRUCTIONS = 'What is this?';

let app: App;
let azure: EmulatedAzure;
let image: Buffer;
let base64: string;
beforeAll(async () => {
  ({ app, azure } = await startBoth());
  image = await still('image/png', 16, 16);
  base64 = image.toString('base64');
});
afterAll(async () => {
  await app.stop();
  azure.close();
});
beforeEach(() => azure.reset());

describe('base64 in JSON with escapes', () => {
  const escapes: Record<string, (text: string) => string> = {
    'by PHP and Swift': (text) => text.replaceAll('/', '\\/'),
    'by .NET': (text) => text.replaceAll('+', '\\u002B'),
    'by a MIME encoder': (text) => text.replaceAll(/.{76}/g, '$&\\r\\n'),
    'in all of these ways': (text) =>
      text.replaceAll(/.{64}/g, '$&\\n\\t').replaceAll('/', '\\u002f').replaceAll('+', '\\u002B'),
  };

  const send = async (by: string, bytes: number): Promise<void> => {
    const large = await stillOfSize('image/jpeg', bytes);
    const url = escapes[by]?.(`data:image/jpeg;base64,${large.toString('base64')}`) ?? '';
    const answers = [
      await post(app.url, `{"instructions":"${INSTRUCTIONS}","images":["${url}"]}`, JSON_TYPE),
      await chat(`[{"type":"image_url","image_url":{"url":"${url}"}}]`),
    ];
    expect(answers.map(({ status, text }) => (status === 200 ? status : text.slice(0, 300)))).toEqual([200, 200]);
    for (const { body } of azure.model.requests) expect(imageIn(body).equals(large)).toBe(true);
  };

  test.each(Object.keys(escapes))('is decoded correctly if escaped %s', async (by) => send(by, 4_000_000));

  const largest = FULL ? [20_971_520] : [];
  test.each(largest)('is decoded correctly for the largest image: %d bytes', { timeout: 120_000 }, async (bytes) =>
    send('by PHP and Swift', bytes),
  );

  test('is accepted in eight images of one request', async () => {
    const small = await stillOfSize('image/png', 450_000);
    const url = `data:image/png;base64,${small.toString('base64').replaceAll('/', '\\/')}`;
    const urls = Array.from({ length: 8 }, () => `"${url}"`).join(',');
    expect((await post(app.url, `{"instructions":"${INSTRUCTIONS}","images":[${urls}]}`, JSON_TYPE)).status).toBe(200);
  });
});

describe('text in different charsets', () => {
  const question = 'Perché "è"?';
  const jsonOf = (text: string): string => JSON.stringify({ instructions: text, images: [base64] });
  const chatOf = (text: string): string => JSON.stringify({ model: 'm', messages: [{ role: 'user', content: text }] });

  test.each([
    ['iso-8859-1', 'latin1'],
    ['"windows-1252"', 'latin1'],
    ['utf-16le', 'utf16le'],
    ['UTF-8', 'utf8'],
  ] as const)('is decoded as the Content-Type says: %s', async (charset, encoding) => {
    const headers = { 'content-type': `application/json; charset=${charset}` };
    expect((await post(app.url, new Uint8Array(Buffer.from(jsonOf(question), encoding)), headers)).status).toBe(200);
    expect((await chatBody(Buffer.from(chatOf(question), encoding), headers)).status).toBe(200);
    for (const { body } of azure.model.requests)
      expect(JSON.stringify(body)).toContain(JSON.stringify(question).slice(1, -1));
    const part = `name="instructions"\r\ncontent-type: text/plain; charset=${charset}`;
    expect((await form([part, Buffer.from(question, encoding)], [IMAGE_PART, image])).status).toBe(200);
    expect(JSON.stringify(azure.model.requests.at(-1)?.body)).toContain(JSON.stringify(question).slice(1, -1));
  });

  test.each<[string, () => Promise<Asked>, RegExp]>([
    ['JSON in undeclared Latin-1', async () => post(app.url, latin1(jsonOf(question)), JSON_TYPE), /body is not UTF-8/],
    [
      'a chat request in undeclared Latin-1',
      async () => chatBody(latin1(chatOf(question)), JSON_TYPE),
      /body is not UTF-8/,
    ],
    [
      'a form field in undeclared Latin-1',
      async () => form(['name="instructions"', latin1(question)], [IMAGE_PART, image]),
      /instructions is not UTF-8/,
    ],
    [
      'a query in Latin-1',
      async () => post(app.url, new Uint8Array(image), { 'content-type': 'image/png' }, '?instructions=Perch%E9'),
      /instructions is not UTF-8/,
    ],
    [
      'JSON in an unknown charset',
      async () => post(app.url, jsonOf('x'), { 'content-type': 'application/json; charset=utf-7' }),
      /utf-7/,
    ],
    [
      'JSON with half of a surrogate pair',
      async () => post(app.url, jsonOf('x').replace('"x"', '"\\ud83d"'), JSON_TYPE),
      /surrogate/,
    ],
    ['a chat request with half of a surrogate pair', async () => chat('"\\ude00"'), /surrogate/],
    [
      'a schema with half of a surrogate pair',
      async () => post(app.url, jsonOf('x').replace('{', '{"schema":{"type":"object","title":"\\udc00"},'), JSON_TYPE),
      /surrogate/,
    ],
  ])('is rejected with 400 if it cannot be decoded: %s', async (_, send, reason) => {
    const { status, text } = await send();
    expect(status).toBe(400);
    expect(text).toMatch(reason);
    expect(azure.model.requests).toEqual([]);
  });
});

describe('a form', () => {
  const schema =
    '{"type":"object","properties":{"what":{"type":"string"}},"required":["what"],"additionalProperties":false}';

  test('of a browser may have a schema as a Blob, empty file inputs and empty options', async () => {
    const given = new FormData();
    given.set('instructions', new Blob([INSTRUCTIONS], { type: 'text/plain' }), 'question.txt');
    given.set('schema', new Blob([schema], { type: 'application/json' }));
    given.append('image', new Blob([new Uint8Array(image)]), 'a.png');
    given.append('image', new Blob([]), '');
    given.append('attachment', new Blob([]), '');
    given.set('detail', '');
    given.set('maxTokens', '');
    const { status, text } = await post(app.url, given, {});
    expect([status, text]).toEqual([200, expect.stringContaining('"what"')]);
  });

  test.each([
    ['base64', 'R3LDtsOfZT8='],
    ['BASE64', 'R3LDtsOf\r\nZT8='],
    ['8bit', 'Größe?'],
  ])('is decoded if its parts have Content-Transfer-Encoding: %s', async (encoding, text) => {
    const header = `\r\ncontent-transfer-encoding: ${encoding}`;
    const sent = encoding === '8bit' ? image : base64.replaceAll(/.{76}/g, '$&\r\n');
    const { status } = await form([`name="instructions"${header}`, text], [`${IMAGE_PART}${header}`, sent]);
    expect(status).toBe(200);
    expect(JSON.stringify(azure.model.requests[0]?.body)).toContain('Größe?');
    expect(imageIn(azure.model.requests[0]?.body).equals(image)).toBe(true);
  });

  test.each(['quoted-printable', 'x-uuencode'])(
    'is rejected with 400 and the name of the encoding if a part has Content-Transfer-Encoding: %s',
    async (encoding) => {
      const { status, text } = await form(
        [`name="instructions"\r\ncontent-transfer-encoding: ${encoding}`, 'x'],
        [IMAGE_PART, image],
      );
      expect([status, text]).toEqual([400, expect.stringContaining(encoding)]);
    },
  );
});

describe('data URLs', () => {
  const urls = (text: string): Record<string, string> => ({
    'a space before base64': `data:image/png; base64,${text}`,
    'a space after base64': `data:image/png;base64 ,${text}`,
    'leading white space': `\n data:image/png;base64,${text}`,
    'percent-encoded base64': `data:image/png;base64,${encodeURIComponent(text)}`,
    'tabs and line breaks': `data:image/png;base64,${text.slice(0, 20)}\t\r\n${text.slice(20)}`,
    'a long name parameter': `data:image/png;name=${encodeURIComponent('写'.repeat(80))};base64,${text}`,
    'percent-encoded bytes': `data:image/png,${Buffer.from(text, 'base64').toString('hex').replaceAll(/../g, '%$&')}`,
  });
  test.each(Object.keys(urls('')))('are decoded as fetch() decodes them: %s', async (what) => {
    const url = urls(base64)[what];
    const answers = [
      await post(app.url, JSON.stringify({ instructions: INSTRUCTIONS, images: [url] }), JSON_TYPE),
      await chat(JSON.stringify([{ type: 'image_url', image_url: { url } }])),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    for (const { body } of azure.model.requests) expect(imageIn(body).equals(image)).toBe(true);
  });
});

test.each([
  ['a string', (url: string) => url],
  ['null', () => null],
  ['an array', (url: string) => [{ url }]],
])('rejects an image_url that is %s, and says that it must be an object', async (_, imageUrl) => {
  const { status, text } = await chat(
    JSON.stringify([{ type: 'image_url', image_url: imageUrl(`data:image/png;base64,${base64}`) }]),
  );
  expect(status).toBe(400);
  expect(JSON.parse(text)).toMatchObject({
    error: {
      errors: [{ field: 'messages[0].content[0].image_url', message: expect.stringContaining('must be an object') }],
    },
  });
});

test.each<[string, (headers: Record<string, string>) => Promise<Asked>]>([
  [
    'an image',
    async (headers) =>
      post(app.url, compressed(image), { 'content-type': 'image/png', ...headers }, '?instructions=What'),
  ],
  [
    'JSON',
    async (headers) =>
      post(app.url, compressed(`{"instructions":"x","images":["${base64}"]}`), { ...JSON_TYPE, ...headers }),
  ],
  [
    'a form',
    async (headers) =>
      post(app.url, compressed('--X--'), { 'content-type': 'multipart/form-data; boundary=X', ...headers }),
  ],
  ['a chat request', async (headers) => chatBody(compressed('{"messages":[]}'), { ...JSON_TYPE, ...headers })],
])('rejects a compressed body with 415 and the name of the encoding: %s', async (_, send) => {
  for (const encoding of ['gzip', 'br', 'deflate, gzip']) {
    const { status, text, headers } = await send({ 'content-encoding': encoding });
    expect([status, text]).toEqual([415, expect.stringContaining(`Content-Encoding: ${encoding}`)]);
    expect(text).toContain('unsupported_encoding');
    expect(headers.get('accept-encoding')).toBe('identity');
  }
});

test.each<[string, () => Promise<Asked>, RegExp]>([
  [
    'JSON as text/plain',
    async () =>
      post(app.url, `{"instructions":"x","images":["${base64}"]}`, { 'content-type': 'text/plain;charset=UTF-8' }),
    /is JSON.*text\/plain.*application\/json/,
  ],
  [
    'JSON as curl -d sends it',
    async () =>
      post(
        app.url,
        `{"images":["${base64}"]}`,
        { 'content-type': 'application/x-www-form-urlencoded' },
        '?instructions=x',
      ),
    /is JSON.*urlencoded.*application\/json/,
  ],
  [
    'JSON as application/vnd.api+json',
    async () =>
      post(app.url, `{"instructions":"x","images":["${base64}"]}`, { 'content-type': 'application/vnd.api+json' }),
    /is JSON.*vnd\.api\+json.*application\/json/,
  ],
  [
    'JSON without a Content-Type',
    async () => post(app.url, new Uint8Array(Buffer.from('{"instructions":"x"}')), {}),
    /is JSON.*no Content-Type.*application\/json/,
  ],
  [
    'base64 as text/plain',
    async () => post(app.url, base64, { 'content-type': 'text/plain' }, '?instructions=x'),
    /is base64 text.*text\/plain.*application\/json/,
  ],
  [
    'base64 as image/png',
    async () => post(app.url, base64, { 'content-type': 'image/png' }, '?instructions=x'),
    /is base64 text.*image\/png.*application\/json/,
  ],
  [
    'a data URL as text/plain',
    async () => post(app.url, `data:image/png;base64,${base64}`, { 'content-type': 'text/plain' }, '?instructions=x'),
    /is a data URL.*application\/json/,
  ],
  [
    'a URL-encoded form',
    async () =>
      post(app.url, `instructions=x&image=${encodeURIComponent(base64)}`, {
        'content-type': 'application/x-www-form-urlencoded',
      }),
    /is a URL-encoded form.*multipart\/form-data/,
  ],
  [
    'a form as multipart/mixed',
    async () => post(app.url, '--X\r\n\r\n--X--', { 'content-type': 'multipart/mixed; boundary=X' }),
    /is a multipart form.*multipart\/mixed.*multipart\/form-data/,
  ],
  [
    'base64 as the image of a form',
    async () => form(['name="instructions"', 'x'], ['name="image"', base64]),
    /is base64 text.*application\/json/,
  ],
])('answers 415 and says what the body is and what to send instead: %s', async (_, send, message) => {
  const { status, text } = await send();
  expect(status).toBe(415);
  expect(text).toMatch(message);
  expect(text).not.toMatch(/of that name|known field/);
  expect(azure.model.requests).toEqual([]);
});

test.each([
  ['application/json', JSON_TYPE, /is an image, but JSON was expected/],
  [
    'multipart/form-data',
    { 'content-type': 'multipart/form-data; boundary=X' },
    /is an image, but its Content-Type is multipart\/form-data/,
  ],
])('answers 400 and says that the body is an image if it is sent as %s', async (_, headers, message) => {
  const { status, text } = await post(app.url, new Uint8Array(image), headers);
  expect([status, text]).toEqual([400, expect.stringMatching(message)]);
});

test('answers 413 and names the wrong Content-Type if JSON as text/plain is larger than an image may be', async () => {
  const body = `{"instructions":"x","images":["${'A'.repeat(21_000_000)}"]}`;
  const { status, text } = await post(app.url, body, { 'content-type': 'text/plain' });
  expect([status, text]).toEqual([413, expect.stringMatching(/Content-Type is text\/plain.*application\/json/)]);
});

test.each([
  [
    'instruction',
    async () => post(app.url, new Uint8Array(image), { 'content-type': 'image/png' }, '?instruction=Cats'),
  ],
  ['question', async () => post(app.url, `{"images":["${base64}"]}`, JSON_TYPE, '?code=a-key&question=Cats')],
  ['prompt', async () => post(app.url, `{"image":"${base64}","prompt":"Cats"}`, JSON_TYPE)],
])('answers a question under the name %s with 400 and the right name, but not with its text', async (name, send) => {
  const logged = app.output().length;
  const { status, text } = await send();
  expect([status, text]).toEqual([
    400,
    expect.stringContaining(`You sent ${name}, which is not a known field. Name it instructions.`),
  ]);
  await expect.poll(() => app.output().slice(logged)).toContain('missing_instructions');
  expect(text + app.output().slice(logged)).not.toMatch(/Cats|a-key/);
});

test('accepts an image with the Content-Type that curl sends by default', async () => {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  expect((await post(app.url, new Uint8Array(image), headers, '?instructions=x')).status).toBe(200);
  expect((await post(app.url, new Uint8Array(image), headers)).json()).toMatchObject({ code: 'missing_instructions' });
});

test.each(['image/png', 'image/jpeg'] as const)(
  'recommends --data-binary if curl -d has damaged an image: %s',
  async (type) => {
    const whole = (await stillOfSize(type, 20_000)).toString('latin1');
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const sent = Buffer.from(whole.replaceAll(/[\r\n]/g, ''), 'latin1');
    const { status, text } = await post(app.url, new Uint8Array(sent), headers, '?instructions=x');
    expect(status).toBe(type === 'image/png' ? 415 : 422);
    expect(text).toContain('--data-binary');
  },
);

test('answers 415 and names the type of a PDF, without recommending --data-binary', async () => {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const { status, text } = await post(app.url, '%PDF-1.7\n%âãÏÓ\n1 0 obj\n', headers, '?instructions=x');
  expect([status, text]).toEqual([415, expect.stringContaining('application/pdf')]);
  expect(text).not.toContain('--data-binary');
});

test('answers 400 and says that the body is empty if it should be JSON', async () => {
  const { status, text } = await post(app.url, '', { 'content-type': 'application/json' });
  expect([status, text]).toEqual([400, expect.stringContaining('body is empty')]);
});

test.each(['', '*', 'application/json;odata=verbose', 'text/plain; charset=iso-8859-1'])(
  'answers 200 to "Accept: %s"',
  async (accept) => {
    expect((await ask(app.url, image, { headers: { accept } })).status).toBe(200);
  },
);

test('accepts instructions of 4,000 emoji, and rejects 4,001', async () => {
  const send = async (count: number): Promise<Asked> =>
    post(app.url, JSON.stringify({ instructions: '\u{1F600}'.repeat(count), images: [base64] }), JSON_TYPE);
  expect((await send(4_000)).status).toBe(200);
  expect((await send(4_001)).json()).toMatchObject({ code: 'invalid_request', errors: [{ field: 'instructions' }] });
});

const IMAGE_PART = 'name="image"; filename="a.png"';

async function form(...parts: [head: string, body: string | Buffer | Uint8Array][]): Promise<Asked> {
  const bytes = parts.flatMap(([head, body]) => [
    Buffer.from(`--X\r\ncontent-disposition: form-data; ${head}\r\n\r\n`),
    Buffer.from(body),
    Buffer.from('\r\n'),
  ]);
  const body = new Uint8Array(Buffer.concat([...bytes, Buffer.from('--X--\r\n')]));
  return post(app.url, body, { 'content-type': 'multipart/form-data; boundary=X' });
}

async function chat(content: string): Promise<Asked> {
  return chatBody(Buffer.from(`{"model":"m","messages":[{"role":"user","content":${content}}]}`), JSON_TYPE);
}

async function chatBody(body: Uint8Array, headers: Record<string, string>): Promise<Asked> {
  const url = `${app.url}/api/chat/completions`;
  const response = await checkedFetch(url, { method: 'POST', headers, body: new Uint8Array(body) });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: () => JSON.parse(text) as Record<string, unknown>,
  };
}

function compressed(body: string | Buffer): Uint8Array<ArrayBuffer> {
  return new Uint8Array(gzipSync(body));
}

function latin1(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(text, 'latin1'));
}

/** Returns the image in a request to the model. */
function imageIn(body: unknown): Buffer {
  const match = /"data:[^,"]*;base64,([^"]*)"/.exec(JSON.stringify(body));
  return Buffer.from(match?.[1] ?? '', 'base64');
}
