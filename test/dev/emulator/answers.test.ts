import type { AzureOpenAI } from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type EmulatedAzure, startAzure } from '../../../src/dev/emulator/azure.ts';
import { still, stillOfSize } from '../../images/still.ts';
import { collect, createClient, dataUrl, post, question } from './client.ts';

const model = 'gpt-vision';
const hello = { messages: [question('Hello?')] };

let azure: EmulatedAzure;
let client: AzureOpenAI;
beforeAll(async () => {
  azure = await startAzure({ record: true });
  client = createClient(azure);
});
beforeEach(() => azure.reset());
afterAll(() => {
  azure.close();
  vi.unstubAllEnvs();
});

describe('an answer', () => {
  test('describes every image, in order', async () => {
    const [jpeg, png] = [await still('image/jpeg', 640, 480), await still('image/png', 30, 20)];
    const { data, response } = await client.chat.completions
      .create({ model, messages: [question('What is this?', dataUrl('image/jpeg', jpeg), dataUrl('image/png', png))] })
      .withResponse();
    const bytes = (image: Buffer) => image.length.toLocaleString('en-US');
    expect(data.choices[0]?.message.content).toBe(
      `[emulated Azure] A JPEG image of 640 x 480 pixels, ${bytes(jpeg)} bytes, mostly steel blue.` +
        ` A PNG image of 30 x 20 pixels, ${bytes(png)} bytes, mostly steel blue. You asked: "What is this?"`,
    );
    expect(data.choices[0]).toMatchObject({ finish_reason: 'stop', message: { refusal: null } });
    expect(data.usage?.total_tokens).toBe(Number(data.usage?.prompt_tokens) + Number(data.usage?.completion_tokens));
    expect(response.headers.get('apim-request-id')).toMatch(/^[\da-f-]{36}$/);
  });

  test('is cut at max_completion_tokens', async () => {
    const { choices, usage } = await client.chat.completions.create({ model, ...hello, max_completion_tokens: 3 });
    expect(choices[0]).toMatchObject({ finish_reason: 'length', message: { content: '[emulated Azure] There' } });
    expect(usage?.completion_tokens).toBe(3);
  });

  test('is streamed word by word, after a first chunk without choices', async () => {
    const stream = await client.chat.completions.create({
      model,
      ...hello,
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks = await collect(stream);
    const deltas = chunks.flatMap(({ choices }) => choices);
    expect(chunks[0]?.choices).toEqual([]);
    expect(deltas[0]?.delta.role).toBe('assistant');
    expect(deltas.map(({ delta }) => delta.content ?? '').join('')).toBe(
      '[emulated Azure] There is no image. You asked: "Hello?"',
    );
    expect(deltas.at(-1)?.finish_reason).toBe('stop');
    expect(deltas.length).toBeGreaterThan(5);
    expect(chunks.at(-1)?.usage?.completion_tokens).toBe(deltas.length - 2);
  });

  test('satisfies a JSON Schema, with the description in its strings', async () => {
    const schema = {
      type: 'object',
      properties: {
        title: { type: 'string' },
        kind: { type: 'string', enum: ['photo', 'drawing'] },
        count: { type: 'integer', minimum: 1 },
        sure: { type: 'boolean' },
        parts: { type: 'array', minItems: 2, items: { $ref: '#/$defs/part' } },
        optional: { type: 'string' },
      },
      required: ['title', 'kind', 'count', 'sure', 'parts'],
      $defs: {
        part: {
          type: 'object',
          properties: { name: { anyOf: [{ type: 'string', maxLength: 10 }, { type: 'null' }] } },
          required: ['name'],
        },
      },
    };
    const { choices } = await client.chat.completions.create({
      model,
      ...hello,
      response_format: { type: 'json_schema', json_schema: { name: 'picture', schema } },
    });
    expect(JSON.parse(choices[0]?.message.content ?? '')).toEqual({
      title: '[emulated Azure] There is no image. You asked: "Hello?"',
      kind: 'photo',
      count: 1,
      sure: true,
      parts: [{ name: '[emulated ' }, { name: '[emulated ' }],
    });
  });

  test('describes five images of 20 MiB in one request', { timeout: 180_000 }, async () => {
    const url = dataUrl('image/png', await stillOfSize('image/png', 20 * 1024 * 1024));
    const { choices } = await client.chat.completions.create({
      model,
      messages: [question('?', ...Array.from({ length: 5 }, () => url))],
    });
    expect(choices[0]?.message.content?.match(/20,971,520 bytes/g)).toHaveLength(5);
  });

  test('comes at the path /openai/v1, too, but only for the model that is deployed', async () => {
    expect(await post(azure, '/openai/v1/chat/completions', { ...hello, model })).toMatchObject({ status: 200 });
    expect(await post(azure, '/openai/v1/chat/completions', { ...hello, model: 'other' })).toMatchObject({
      status: 404,
    });
  });
});
