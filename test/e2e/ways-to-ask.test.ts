import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import OpenAI from 'openai';
import type { EmulatedAzure } from '../../src/dev/emulator/azure.ts';
import { still, stillOfSize } from '../images/still.ts';
import { FULL } from '../tier.ts';
import { type App, startBoth } from './app.ts';
import { type Asked, ask, checkedFetch, post } from './ask.ts';
import { readEvents } from './events.ts';

const INSTRUCTIONS = 'What is in these?\nLine by line, please.';

let app: App;
let azure: EmulatedAzure;
let images: Buffer[];
beforeAll(async () => {
  ({ app, azure } = await startBoth());
  images = await Promise.all([
    still('image/png', 30, 20),
    still('image/jpeg', 40, 25),
    still('image/gif', 50, 35),
    still('image/webp', 60, 45),
  ]);
});
afterAll(async () => {
  await app.stop();
  azure.close();
});
beforeEach(() => azure.reset());

/** Every way, apart from raw bytes, to send the same question about the same images. */
const ways: Record<string, (given: Buffer[], headers?: Record<string, string>) => Promise<Asked>> = {
  async multipart(given, headers = {}) {
    const form = new FormData();
    form.set('instructions', INSTRUCTIONS);
    for (const image of given) form.append('image', new Blob([new Uint8Array(image)]), 'x');
    return post(app.url, form, headers);
  },
  async 'multipart with the instructions in the query'(given, headers = {}) {
    const form = new FormData();
    for (const image of given) form.append('image', new Blob([new Uint8Array(image)], { type: 'text/plain' }), 'x.txt');
    return post(app.url, form, headers, `?${new URLSearchParams({ instructions: INSTRUCTIONS }).toString()}`);
  },
  async 'JSON with data URLs'(given, headers = {}) {
    return post(app.url, json(given.map((image) => `data:image/png;base64,${image.toString('base64')}`)), {
      'content-type': 'application/json',
      ...headers,
    });
  },
  async 'JSON with bare base64'(given, headers = {}) {
    return post(app.url, json(given.map((image) => image.toString('base64'))), {
      'content-type': 'application/json; charset=utf-8',
      ...headers,
    });
  },
  async 'JSON with escaped slashes and line breaks'(given, headers = {}) {
    const wrapped = given.map((image) => image.toString('base64').replaceAll(/.{76}/g, '$&\n'));
    return post(app.url, json(wrapped).replaceAll('/', '\\/'), { 'content-type': 'application/json', ...headers });
  },
};

function json(list: string[]): string {
  return JSON.stringify({ instructions: INSTRUCTIONS, images: list });
}

describe('the same question', () => {
  test('reaches the model as the same request, in every way of sending it', async () => {
    const [image = Buffer.alloc(0)] = images;
    expect((await ask(app.url, image, { query: { instructions: INSTRUCTIONS } })).status).toBe(200);
    const raw = azure.model.requests[0]?.body;
    for (const [name, way] of Object.entries(ways)) {
      azure.reset();
      expect((await way([image])).status, name).toBe(200);
      expect(azure.model.requests[0]?.body, name).toEqual(raw);
    }
  });

  test.each(Object.keys(ways))('keeps the order of its images: %s', async (name) => {
    const answer = await ways[name]?.(images, { accept: 'application/json' });
    expect(answer?.json()).toMatchObject({
      images: [{ type: 'image/png' }, { type: 'image/jpeg' }, { type: 'image/gif' }, { type: 'image/webp' }],
      answer: expect.stringMatching(/PNG.*30 x 20.*JPEG.*40 x 25.*GIF.*50 x 35.*WEBP.*60 x 45/),
    });
  });

  test.each([100_000, 100_001, 100_002, 400_000])('in JSON, keeps its image byte for byte (%d bytes)', async (size) => {
    const image = await stillOfSize('image/jpeg', size);
    await ways['JSON with bare base64']?.([image]);
    expect(JSON.stringify(azure.model.requests[0]?.body)).toContain(
      `"data:image/jpeg;base64,${image.toString('base64')}"`,
    );
  });

  test('gets the same answer as text, as JSON and as events', async () => {
    const [image = Buffer.alloc(0)] = images;
    const text = await ask(app.url, image);
    const whole = await ask(app.url, image, { headers: { accept: 'application/json' } });
    const events = readEvents((await ask(app.url, image, { headers: { accept: 'text/event-stream' } })).text);
    expect(whole.json()['answer']).toBe(text.text);
    expect(
      events
        .filter(({ event }) => event === 'delta')
        .map(({ data }) => data['text'])
        .join(''),
    ).toBe(text.text);
    const done = events.at(-1);
    expect(done?.event).toBe('done');
    const { requestId: _one, upstreamRequestId: _two, ...rest } = whole.json();
    expect(done?.data).toMatchObject(rest);
    expect(Object.keys(done?.data ?? {}).toSorted()).toEqual(Object.keys(whole.json()).toSorted());
  });
});

describe('many images', () => {
  test.each(['multipart', 'JSON with data URLs'])(
    'ten large images are accepted, eleven are rejected: %s',
    async (name) => {
      const image = await stillOfSize('image/jpeg', FULL ? 2_000_000 : 300_000);
      const ten = Array.from({ length: 10 }, () => image);
      expect((await ways[name]?.(ten))?.status).toBe(200);
      azure.reset();
      const eleven = await ways[name]?.([...ten, image]);
      expect(eleven?.status).toBe(400);
      expect(eleven?.json()).toMatchObject({ code: 'too_many_images', limit: 10 });
      expect(azure.model.requests).toEqual([]);
    },
  );

  test.each(Object.keys(ways))('the position of a corrupt image is named: %s', async (name) => {
    const [good = Buffer.alloc(0)] = images;
    const answer = await ways[name]?.([good, good, good.subarray(0, good.length - 20)]);
    expect(answer?.json()).toMatchObject({
      status: 422,
      code: 'corrupt_image',
      image: 3,
      detail: expect.stringMatching(/^Image 3: /),
    });
  });

  test.each(['multipart', 'JSON with data URLs'])('the position of a too large image is named: %s', async (name) => {
    const [good = Buffer.alloc(0)] = images;
    const answer = await ways[name]?.([good, Buffer.concat([good, Buffer.alloc(20_971_521 - good.length)])]);
    expect(answer?.json()).toMatchObject({ status: 413, code: 'image_too_large', image: 2, limit: 20_971_520 });
  });
});

describe('structured output', () => {
  const schema = {
    type: 'object',
    properties: { what: { type: 'string' }, count: { type: 'integer' } },
    required: ['what', 'count'],
    additionalProperties: false,
  };

  test.each([
    {
      how: 'JSON',
      send: async () =>
        post(app.url, JSON.stringify({ instructions: INSTRUCTIONS, schema, images: [images[0]?.toString('base64')] }), {
          'content-type': 'application/json',
          accept: 'application/json',
        }),
    },
    {
      how: 'multipart',
      async send() {
        const form = new FormData();
        form.set('instructions', INSTRUCTIONS);
        form.set('schema', JSON.stringify(schema));
        form.set('image', new Blob([new Uint8Array(images[0] ?? [])]));
        return post(app.url, form, { accept: 'application/json' });
      },
    },
  ])('the answer to a question with a schema has data: $how', async ({ send }) => {
    const answer = await send();
    expect(answer.json()).toMatchObject({ data: { what: expect.stringContaining('PNG'), count: 0 }, refusal: null });
    expect(JSON.parse(String(answer.json()['answer']))).toEqual(answer.json()['data']);
    expect(azure.model.requests[0]?.body).toMatchObject({
      response_format: { type: 'json_schema', json_schema: { strict: true, schema } },
    });
  });

  test.each([
    { why: 'not of type object', value: { type: 'string' }, field: 'schema' },
    { why: 'a number', value: 7, field: 'schema' },
    {
      why: 'an unknown type',
      value: { type: 'object', properties: { a: { type: 'strnig' } } },
      field: 'schema/properties/a/type',
    },
    {
      why: 'a reference to a definition that does not exist',
      value: { type: 'object', properties: { a: { $ref: '#/$defs/none' } } },
      field: 'schema',
    },
    { why: 'a reference to itself', value: { type: 'object', $ref: '#' }, field: 'schema' },
  ])('an invalid schema is rejected before the model call: $why', async ({ value, field }) => {
    const answer = await withSchema(value);
    expect(answer.json()).toMatchObject({
      status: 400,
      code: 'invalid_request',
      errors: expect.arrayContaining([expect.objectContaining({ field })]),
    });
    expect(azure.model.requests).toEqual([]);
  });

  test('a schema that strict mode does not support is sent with strict: false', async () => {
    expect((await withSchema({ ...schema, required: ['what'] })).status).toBe(200);
    expect(azure.model.requests[0]?.body).toMatchObject({ response_format: { json_schema: { strict: false } } });
  });

  test.each([
    { why: 'cut off at the token limit', message: { content: '{"what":"a bo' }, finish: 'length' },
    { why: 'cut off by the content filter', message: { content: '{"what":"a bo' }, finish: 'content_filter' },
    { why: 'another object', message: { content: '{"who":"a boat"}' }, finish: 'stop' },
    { why: 'not JSON', message: { content: 'A boat.' }, finish: 'stop' },
  ])('answers 422 answer_incomplete if the answer does not satisfy the schema: $why', async ({ message, finish }) => {
    azure.model.fail({ body: { id: 'c', model: 'm', choices: [{ message, finish_reason: finish }] } });
    const answer = await withSchema(schema);
    expect(answer.status).toBe(422);
    expect(answer.json()).toMatchObject({ code: 'answer_incomplete', finishReason: finish, answer: message.content });
  });

  test('a refusal of the model is returned as refusal, without data', async () => {
    azure.model.fail({
      body: { id: 'c', model: 'm', choices: [{ message: { content: null, refusal: 'No.' }, finish_reason: 'stop' }] },
    });
    expect((await withSchema(schema)).json()).toMatchObject({ data: null, refusal: 'No.' });
  });

  async function withSchema(value: unknown): Promise<Asked> {
    const body = JSON.stringify({ instructions: INSTRUCTIONS, schema: value, images: [images[0]?.toString('base64')] });
    return post(app.url, body, { 'content-type': 'application/json', accept: 'application/json' });
  }
});

describe("OpenAI's client", () => {
  const client = (): OpenAI =>
    new OpenAI({ baseURL: `${app.url}/api`, apiKey: 'unused', maxRetries: 0, fetch: checkedFetch });
  const message = (image: Buffer): OpenAI.ChatCompletionUserMessageParam => ({
    role: 'user',
    content: [
      { type: 'text', text: INSTRUCTIONS },
      { type: 'image_url', image_url: { url: `data:image/png;base64,${image.toString('base64')}` } },
    ],
  });

  test('gets a completion; of its request, only the model is replaced', async () => {
    const [image = Buffer.alloc(0)] = images;
    const extra = {
      seed: 7,
      tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object', properties: {} } } }],
      user: 'x'.repeat(5000),
    } as const;
    const completion = await client().chat.completions.create({
      model: 'whatever',
      messages: [message(image)],
      ...extra,
      tools: [...extra.tools],
    });
    expect(completion.choices[0]?.message.content).toContain('PNG image of 30 x 20');
    expect(azure.model.requests[0]?.body).toEqual({ model: 'gpt-vision', messages: [message(image)], ...extra });
    expect(azure.model.requests[0]?.headers.authorization).toMatch(/^Bearer ey/);
  });

  test('makes the app send the same image as raw bytes do', async () => {
    const [image = Buffer.alloc(0)] = images;
    await ask(app.url, image);
    await client().chat.completions.create({ model: 'm', messages: [message(image)] });
    const [one, two] = azure.model.requests.map(({ body }) => /data:[^"]+/.exec(JSON.stringify(body))?.[0]);
    expect(two).toBe(one);
  });

  test('gets a stream that includes the usage', async () => {
    const [image = Buffer.alloc(0)] = images;
    const stream = await client().chat.completions.create({
      model: 'm',
      messages: [message(image)],
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks = await Array.fromAsync(stream);
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toContain('PNG image of 30 x 20');
    expect(chunks.at(-1)?.usage?.total_tokens).toBeGreaterThan(0);
  });

  test('can hold a conversation of three turns with an image only in the first', async () => {
    const [image = Buffer.alloc(0)] = images;
    const messages: OpenAI.ChatCompletionMessageParam[] = [message(image)];
    for (const next of ['And the colour?', 'Thank you.']) {
      const { choices } = await client().chat.completions.create({ model: 'm', messages });
      messages.push({ role: 'assistant', content: choices[0]?.message.content ?? '' }, { role: 'user', content: next });
    }
    const { choices } = await client().chat.completions.create({ model: 'm', messages });
    expect(choices[0]?.message.content).toContain('Thank you.');
    expect(azure.model.requests.at(-1)?.body).toMatchObject({ messages });
  });

  test('gets and parses structured output', async () => {
    const format = {
      type: 'json_schema',
      json_schema: {
        name: 'x',
        strict: true,
        schema: {
          type: 'object',
          properties: { ok: { type: 'boolean' } },
          required: ['ok'],
          additionalProperties: false,
        },
      },
    } as const;
    const { choices } = await client().chat.completions.parse({
      model: 'm',
      messages: [{ role: 'user', content: 'Is it?' }],
      response_format: format,
    });
    expect(choices[0]?.message.parsed).toEqual({ ok: true });
  });

  test.each([
    {
      what: 'an image given as an https URL',
      part: { url: 'https://example.com/x.png' },
      status: 400,
      code: 'invalid_request',
    },
    {
      what: 'text as an image',
      part: { url: `data:image/png;base64,${btoa('Dear Sir or Madam')}` },
      status: 415,
      code: 'unsupported_image_type',
    },
  ])("gets a problem in OpenAI's shape with a request id: $what", async ({ part, status, code }) => {
    const pending = client().chat.completions.create({
      model: 'm',
      messages: [{ role: 'user', content: [{ type: 'image_url', image_url: part }] }],
    });
    await expect(pending).rejects.toMatchObject({ status, code, requestID: expect.stringMatching(/^[\da-f-]{36}$/) });
    expect(azure.model.requests).toEqual([]);
  });

  test('gets an error for a failure of the model before the stream and within it', async () => {
    azure.model.fail({ status: 429, headers: { 'retry-after': '120' } });
    const pending = client().chat.completions.create({
      model: 'm',
      messages: [{ role: 'user', content: 'Hello?' }],
      stream: true,
    });
    await expect(pending).rejects.toMatchObject({ status: 429, code: 'rate_limited' });
    azure.model.fail({ breakOff: 'mid-body' });
    const stream = await client().chat.completions.create({
      model: 'm',
      messages: [{ role: 'user', content: 'Hello?' }],
      stream: true,
    });
    await expect(Array.fromAsync(stream)).rejects.toMatchObject({ code: 'upstream_error' });
  });
});
