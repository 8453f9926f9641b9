import type { AzureOpenAI } from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { type EmulatedAzure, startAzure } from '../../../src/local/emulator/azure.ts';
import { still, stillOfSize } from '../../images/still.ts';
import { collect, createClient, dataUrl, question, tokenFor } from './client.ts';

const model = 'gpt-vision';

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

/** A request with nothing of the SDK between, signed in unless told otherwise. */
async function post(path: string, body: unknown, authorization?: string): Promise<{ status: number; error?: unknown }> {
  const signedIn = `Bearer ${await tokenFor('https://cognitiveservices.azure.com/', azure)}`;
  const response = await fetch(new URL(path, azure.env['AZURE_OPENAI_ENDPOINT']), {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: authorization ?? signedIn },
    body: JSON.stringify(body),
  });
  const { error } = z.looseObject({ error: z.unknown().optional() }).parse(await response.json());
  return { status: response.status, error };
}

const path = '/openai/deployments/gpt-vision/chat/completions?api-version=2024-10-21';
const hello = { messages: [question('Hello?')] };

describe('an answer', () => {
  test('tells the facts of every image, in order', async () => {
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

  test('is cut where its tokens are used up', async () => {
    const { choices, usage } = await client.chat.completions.create({ model, ...hello, max_completion_tokens: 3 });
    expect(choices[0]).toMatchObject({ finish_reason: 'length', message: { content: '[emulated Azure] There' } });
    expect(usage?.completion_tokens).toBe(3);
  });

  test('streams word by word, after a chunk without a choice', async () => {
    const stream = await client.chat.completions.create({ model, ...hello, stream: true, stream_options: { include_usage: true } });
    const chunks = await collect(stream);
    const deltas = chunks.flatMap(({ choices }) => choices);
    expect(chunks[0]?.choices).toEqual([]);
    expect(deltas[0]?.delta.role).toBe('assistant');
    expect(deltas.map(({ delta }) => delta.content ?? '').join('')).toBe('[emulated Azure] There is no image. You asked: "Hello?"');
    expect(deltas.at(-1)?.finish_reason).toBe('stop');
    expect(deltas.length).toBeGreaterThan(5);
    expect(chunks.at(-1)?.usage?.completion_tokens).toBe(deltas.length - 2);
  });

  test('satisfies a schema, with the facts in its texts', async () => {
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
      $defs: { part: { type: 'object', properties: { name: { anyOf: [{ type: 'string', maxLength: 10 }, { type: 'null' }] } }, required: ['name'] } },
    };
    const { choices } = await client.chat.completions.create({
      model,
      ...hello,
      response_format: { type: 'json_schema', json_schema: { name: 'picture', schema, strict: true } },
    });
    expect(JSON.parse(choices[0]?.message.content ?? '')).toEqual({
      title: '[emulated Azure] There is no image. You asked: "Hello?"',
      kind: 'photo',
      count: 1,
      sure: true,
      parts: [{ name: '[emulated ' }, { name: '[emulated ' }],
    });
  });

  test('comes for ten images of 20 MB too', { timeout: 60_000 }, async () => {
    const url = dataUrl('image/png', await stillOfSize('image/png', 20 * 1024 * 1024));
    const { choices } = await client.chat.completions.create({ model, messages: [question('?', ...Array.from({ length: 10 }, () => url))] });
    expect(choices[0]?.message.content?.match(/20,971,520 bytes/g)).toHaveLength(10);
  });

  test('comes at the version-free path as well', async () => {
    expect(await post('/openai/v1/chat/completions', { ...hello, model })).toMatchObject({ status: 200 });
    expect(await post('/openai/v1/chat/completions', { ...hello, model: 'other' })).toMatchObject({ status: 404 });
  });
});

describe('Azure refuses', () => {
  test.each(['', 'Bearer ', 'Bearer eyJhbGciOiJub25lIn0.e30.', 'Bearer x.y.z'])('the authorization "%s"', async (authorization) => {
    const message = expect.stringMatching(/^Unauthorized\. Access token is missing, invalid, audience is incorrect/);
    expect(await post(path, hello, authorization)).toEqual({ status: 401, error: { code: '401', message } });
  });

  test('a token for another resource', async () => {
    const token = await tokenFor('https://management.azure.com', azure);
    expect(await post(path, hello, `Bearer ${token}`)).toMatchObject({ status: 401 });
  });

  test('tokens that were revoked, until they are allowed again', async () => {
    azure.revoke();
    await expect(client.chat.completions.create({ model, ...hello })).rejects.toMatchObject({ status: 401 });
    azure.allow();
    await expect(client.chat.completions.create({ model, ...hello })).resolves.toBeTruthy();
  });

  test('an expired token', async () => {
    const hasty = await startAzure({ tokenSeconds: -1 });
    const headers = { authorization: `Bearer ${await tokenFor('https://cognitiveservices.azure.com', hasty)}` };
    const response = await fetch(new URL(path, hasty.env['AZURE_OPENAI_ENDPOINT']), { method: 'POST', headers });
    expect(response.status).toBe(401);
    hasty.close();
  });

  test.each([
    ['an unknown deployment', '/openai/deployments/other/chat/completions?api-version=2024-10-21', 'DeploymentNotFound'],
    ['no api-version', '/openai/deployments/gpt-vision/chat/completions', '404'],
    ['an api-version that never was', '/openai/deployments/gpt-vision/chat/completions?api-version=2099-01-01', '404'],
    ['an unknown path', '/openai/deployments/gpt-vision/completions?api-version=2024-10-21', '404'],
  ])('%s', async (_, wrongPath, code) => {
    expect(await post(wrongPath, hello)).toMatchObject({ status: 404, error: { code } });
  });

  test.each([
    ['no messages', { messages: [] }, 'messages', 'invalid_value'],
    ['a message without a role', { messages: [{ content: 'x' }] }, 'messages.0.role', 'invalid_value'],
    ['max_tokens', { ...hello, max_tokens: 5 }, 'max_tokens', 'unsupported_parameter'],
    ['a temperature', { ...hello, temperature: 0.2 }, 'temperature', 'unsupported_value'],
    ['an image by URL', { messages: [question('?', 'https://example.com/a.png')] }, null, 'invalid_image'],
    ['an image that is none', { messages: [question('?', dataUrl('image/png', Buffer.from('text')))] }, null, 'invalid_image'],
  ])('%s', async (_, body, param, code) => {
    expect(await post(path, body)).toMatchObject({ status: 400, error: { type: 'invalid_request_error', param, code } });
  });
});
