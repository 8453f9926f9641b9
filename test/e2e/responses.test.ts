import { OpenAI } from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { EmulatedAzure } from '../../src/dev/emulator/azure.ts';
import { still } from '../images/still.ts';
import { type App, startBoth } from './app.ts';
import { checkedFetch } from './ask.ts';
import { readEvents } from './events.ts';
import { keepSecret } from './secrets.ts';

const QUESTION = 'What is behind the lighthouse?';
const PDF = Buffer.from('%PDF-1.7\n1 0 obj << /Secret (of the lighthouse) >> endobj\n%%EOF');

let app: App;
let azure: EmulatedAzure;
let client: OpenAI;
let png: Buffer;
beforeAll(async () => {
  ({ app, azure } = await startBoth());
  client = new OpenAI({ baseURL: `${app.url}/api`, apiKey: 'unused', fetch: checkedFetch });
  png = await still('image/png', 30, 20);
  keepSecret('words', QUESTION);
  keepSecret('image', png);
  keepSecret('image', PDF);
});
afterAll(async () => {
  await app.stop();
  azure.close();
});
beforeEach(() => azure.reset());

function dataUrl(type: string, bytes: Buffer): string {
  return `data:${type};base64,${bytes.toString('base64')}`;
}

function user(...content: object[]): object {
  return { role: 'user', content: [{ type: 'input_text', text: QUESTION }, ...content] };
}

async function post(body: object, path = 'responses'): Promise<{ status: number; error: Record<string, unknown> }> {
  const response = await checkedFetch(`${app.url}/api/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const { error } = (await response.json()) as { error: Record<string, unknown> };
  return { status: response.status, error };
}

function sent(): Record<string, unknown> {
  return azure.model.requests[0]?.body as Record<string, unknown>;
}

describe('the request to the model', () => {
  test("is the caller's body with the name of the deployment and store: false", async () => {
    const body = {
      model: 'gpt-5',
      input: [user({ type: 'input_image', image_url: dataUrl('image/png', png), detail: 'low' })],
      instructions: 'Be brief.',
      max_output_tokens: 99,
      store: true,
    };
    expect((await post(body)).status).toBe(200);
    expect(sent()).toEqual({ ...body, model: 'gpt-vision', store: false });
    const [request] = azure.model.requests;
    expect(request).toMatchObject({ method: 'POST', path: '/openai/v1/responses' });
    expect([...(request?.query.keys() ?? [])]).toEqual([]);
    expect(request?.headers.authorization).toMatch(/^Bearer ey/);
  });

  test('contains every image and file byte for byte, also the output of a function', async () => {
    const jpeg = await still('image/jpeg', 12, 9);
    const output = [{ type: 'input_image', image_url: dataUrl('image/jpeg', jpeg) }];
    const input = [
      user(
        { type: 'input_image', image_url: dataUrl('image/png', png) },
        { type: 'input_file', filename: 'a.pdf', file_data: dataUrl('application/pdf', PDF) },
        { type: 'input_image', image_url: dataUrl('image/png', png) },
      ),
      { type: 'function_call', call_id: 'call_1', name: 'look', arguments: '{}' },
      { type: 'function_call_output', call_id: 'call_1', output },
    ];
    expect((await post({ input })).status).toBe(200);
    expect(sent()['input']).toEqual(input);
  });

  test('omits reasoning without encrypted content and references to reasoning, because nothing is stored', async () => {
    const thought = { type: 'reasoning', id: 'rs_1', summary: [] };
    const kept = { ...thought, encrypted_content: 'abc' };
    const input = [thought, { type: 'item_reference', id: 'rs_2' }, kept, user()];
    expect((await post({ input })).status).toBe(200);
    expect(sent()['input']).toEqual([kept, user()]);
  });

  test('is made although optional fields are null', async () => {
    const nothing = { previous_response_id: null, conversation: null, background: null, tools: null, store: null };
    expect((await post({ input: QUESTION, ...nothing, background: false, stream: null })).status).toBe(200);
    expect(sent()).toMatchObject({ store: false });
  });
});

describe('a field that needs something stored or fetched is rejected and named', () => {
  const file = dataUrl('application/pdf', PDF);
  test.each<[string, object]>([
    ['previous_response_id', { input: 'Hi', previous_response_id: 'resp_1' }],
    ['conversation', { input: 'Hi', conversation: 'conv_1' }],
    ['conversation', { input: 'Hi', conversation: { id: 'conv_1' } }],
    ['background', { input: 'Hi', background: true }],
    ['input[1]', { input: [user(), { type: 'item_reference', id: 'msg_1' }] }],
    ['input[0]', { input: [{ id: 'msg_1' }] }],
    ['input[0]', { input: [{ id: 'msg_1', type: null }] }],
    ['input[0].content[1].file_id', { input: [user({ type: 'input_image', file_id: 'file_1' })] }],
    ['input[0].content[1].file_id', { input: [user({ type: 'input_file', file_id: 'file_1' })] }],
    ['input[0].content[1].file_id', { input: [user({ type: 'input_file', file_id: 'file_1', file_data: file })] }],
    ['input[0].content[1].file_url', { input: [user({ type: 'input_file', file_url: 'https://example.com/a.pdf' })] }],
    ['input[0].content[1].file_data', { input: [user({ type: 'input_file', file_data: null })] }],
    ['input[0].content[1].image_url', { input: [user({ type: 'input_image', image_url: null })] }],
    ['input[0].content[1].image_url', { input: [user({ type: 'input_image', image_url: { url: 'data:,' } })] }],
    [
      'input[0].content[1].image_url',
      { input: [user({ type: 'input_image', image_url: 'https://example.com/a.png' })] },
    ],
    [
      'tools[0].container.file_ids',
      { input: 'Hi', tools: [{ type: 'code_interpreter', container: { type: 'auto', file_ids: ['file_1'] } }] },
    ],
  ])('%s in %j', async (field, body) => {
    const { status, error } = await post(body);
    expect(status).toBe(400);
    expect(error).toMatchObject({ code: 'invalid_request', type: 'invalid_request_error' });
    expect(error['errors']).toEqual([{ field, message: expect.any(String) }]);
    expect(azure.model.requests).toHaveLength(0);
  });

  test("but file_id is accepted in a tool's schema and in a citation of an earlier answer", async () => {
    const parameters = { type: 'object', properties: { file_id: { type: 'string' } }, file_ids: ['x'] };
    const annotations = [{ type: 'file_citation', file_id: 'file_1', index: 0, filename: 'a.pdf' }];
    const earlierAnswer = { role: 'assistant', content: [{ type: 'output_text', text: 'Hello', annotations }] };
    const body = { input: [earlierAnswer, user()], tools: [{ type: 'function', name: 'f', parameters }] };
    expect((await post(body)).status).toBe(200);
  });
});

describe('before the model is called, the app rejects', () => {
  test.each([
    ['text as an image', 'input_image', dataUrl('image/png', Buffer.from('text')), 415, 'unsupported_image_type'],
    ['half an image', 'input_image', '', 422, 'corrupt_image'],
    ['text as a PDF', 'input_file', dataUrl('application/pdf', Buffer.from('text')), 400, 'invalid_request'],
    ['a PDF without the start of a data URL', 'input_file', PDF.toString('base64'), 400, 'invalid_request'],
    ['an empty PDF', 'input_file', 'data:application/pdf;base64,', 400, 'invalid_request'],
    ['a PDF that is not valid base64', 'input_file', 'data:application/pdf;base64,%%%', 400, 'invalid_request'],
  ])('%s', async (what, type, given, status, code) => {
    const url = what === 'half an image' ? dataUrl('image/png', png.subarray(0, png.length / 2)) : given;
    const part = type === 'input_image' ? { type, image_url: url } : { type, filename: 'a.pdf', file_data: url };
    expect(await post({ input: [user(part)] })).toMatchObject({ status, error: { code } });
    expect(azure.model.requests).toHaveLength(0);
  });

  test('eleven images', async () => {
    const part = { type: 'input_image', image_url: dataUrl('image/png', png) };
    expect(await post({ input: [user(...Array.from({ length: 11 }, () => part))] })).toMatchObject({
      status: 400,
      error: { code: 'too_many_images' },
    });
  });
});

describe('failures', () => {
  test('a failure of the model before the answer begins is answered with its status', async () => {
    azure.model.fail({ status: 429, headers: { 'retry-after': '90' } });
    expect(await post({ input: QUESTION })).toMatchObject({ status: 429, error: { code: 'rate_limited' } });
  });

  test('a parameter that the model rejects is named', async () => {
    const { status, error } = await post({ input: QUESTION, temperature: 0 });
    expect(status).toBe(400);
    expect(error).toMatchObject({ param: 'temperature', message: expect.stringContaining('temperature') });
  });

  test("a failure during the answer is sent as an event, which OpenAI's client throws", async () => {
    azure.model.fail({ breakOff: 'mid-body' });
    const stream = await client.responses.create({ model: 'm', input: QUESTION, stream: true });
    await expect(Array.fromAsync(stream)).rejects.toMatchObject({ code: 'upstream_error' });
  });

  test('the event of a failure has the next sequence number', async () => {
    azure.model.fail({ breakOff: 'mid-body' });
    const response = await checkedFetch(`${app.url}/api/responses`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ input: QUESTION, stream: true }),
    });
    const events = readEvents(await response.text());
    expect(events.length).toBeGreaterThan(2);
    expect(events.map(({ data }) => data['sequence_number'])).toEqual(events.map((_, at) => at));
    expect(events.at(-1)).toMatchObject({ event: 'error', data: { type: 'error', code: 'upstream_error' } });
  });

  test.each([false, true])('the model call is cancelled if the client disconnects, streamed: %s', async (stream) => {
    azure.model.fail(stream ? { wordDelayMs: 60_000 } : { silent: true });
    const abort = new AbortController();
    const pending = fetch(`${app.url}/api/responses`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ input: [user({ type: 'input_image', image_url: dataUrl('image/png', png) })], stream }),
      signal: abort.signal,
    });
    pending.catch(() => undefined);
    await expect.poll(() => azure.model.requests.length, { timeout: 10_000 }).toBe(1);
    abort.abort();
    expect(await azure.model.requests[0]?.closedEarly).toBe(true);
  });

  test('an answer that is not a response of the API is reported as upstream_error', async () => {
    azure.model.fail({ status: 200, body: { hello: 'world' } });
    expect(await post({ input: QUESTION })).toMatchObject({ status: 502, error: { code: 'upstream_error' } });
  });
});

test('the caller gets a stream or JSON as requested, even if the model answers in the other form', async () => {
  const response = { id: 'resp_1', object: 'response', status: 'completed', model: 'm', output: [] };
  azure.model.fail({ status: 200, body: response });
  const stream = await client.responses.create({ model: 'm', input: QUESTION, stream: true });
  expect(await Array.fromAsync(stream)).toEqual([{ type: 'response.completed', sequence_number: 0, response }]);

  const event = { type: 'response.completed', sequence_number: 0, response };
  azure.model.fail({ status: 200, body: `event: response.completed\ndata: ${JSON.stringify(event)}\n\n` });
  expect(await client.responses.create({ model: 'm', input: QUESTION })).toMatchObject(response);
});

test('the log line has the status, the images, the model and the usage', async () => {
  const before = app.output().length;
  const { usage } = await client.responses.create({
    model: 'gpt-5',
    input: [{ role: 'user', content: [{ type: 'input_image', image_url: dataUrl('image/png', png), detail: 'auto' }] }],
  });
  const line = app
    .output()
    .slice(before)
    .split('\n')
    .find((each) => each.includes('upstreamRequestId'));
  expect(JSON.parse(line?.slice(line.indexOf('{')) ?? '')).toMatchObject({
    status: 200,
    images: [{ type: 'image/png', width: 30, height: 20, bytes: png.length }],
    finishReason: 'completed',
    model: 'emulated-vision-2026-11-01',
    usage: { inputTokens: usage?.input_tokens, cachedInputTokens: 0, reasoningTokens: 0 },
  });
});

describe('the list of models', () => {
  test('contains only the deployment, with every path prefix', async () => {
    const listed = await Array.fromAsync(client.models.list());
    expect(listed).toMatchObject([{ id: 'gpt-vision', object: 'model' }]);
    expect(await client.models.retrieve('gpt-vision')).toEqual(listed[0]);
    await expect(client.models.retrieve('gpt-4o')).rejects.toMatchObject({ status: 404, code: 'not_found' });
    for (const prefix of ['v1', 'openai/v1', 'openai']) {
      const other = new OpenAI({ baseURL: `${app.url}/api/${prefix}`, apiKey: 'unused', fetch: checkedFetch });
      expect(await Array.fromAsync(other.models.list())).toEqual(listed);
    }
  });
});

test.each(['', 'v1/', 'openai/v1/', 'openai/', 'openai/deployments/any/'])(
  'the store value of the caller does not reach the model, with the path prefix "%s"',
  async (prefix) => {
    const common = { store: true, stream: false };
    const routes = prefix.includes('deployments') ? ['chat/completions'] : ['chat/completions', 'responses'];
    for (const route of routes) {
      const body = route === 'responses' ? { input: QUESTION } : { messages: [{ role: 'user', content: QUESTION }] };
      for (const store of [true, 'true', 1, null]) {
        azure.reset();
        expect((await post({ ...body, ...common, store }, `${prefix}${route}`)).status).toBe(200);
        expect(sent()['store']).toBe(route === 'responses' ? false : undefined);
      }
    }
  },
);

test('the chat route removes store and keeps metadata', async () => {
  const messages = [{ role: 'user', content: QUESTION }];
  expect((await post({ messages, store: true, metadata: { a: 'b' } }, 'chat/completions')).status).toBe(200);
  expect(sent()).toEqual({ model: 'gpt-vision', messages, metadata: { a: 'b' } });
});
