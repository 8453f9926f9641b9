import type { AzureOpenAI } from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type EmulatedAzure, startAzure } from '../../../src/dev/emulator/azure.ts';
import { createClient, dataUrl, post, question, tokenFor } from './client.ts';

const model = 'gpt-vision';
const hello = { messages: [question('Hello?')] };
const path = '/openai/deployments/gpt-vision/chat/completions?api-version=2024-10-21';

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

describe('the emulated Azure rejects', () => {
  test.each(['', 'Bearer ', 'Bearer eyJhbGciOiJub25lIn0.e30.', 'Bearer x.y.z'])(
    'the authorization "%s"',
    async (authorization) => {
      const message = expect.stringMatching(/^Unauthorized\. Access token is missing, invalid, audience is incorrect/);
      expect(await post(azure, path, hello, authorization)).toEqual({ status: 401, error: { code: '401', message } });
    },
  );

  test('a token for another resource', async () => {
    const token = await tokenFor('https://management.azure.com', azure);
    expect(await post(azure, path, hello, `Bearer ${token}`)).toMatchObject({ status: 401 });
  });

  test('revoked tokens, until they are allowed again', async () => {
    await client.chat.completions.create({ model, ...hello });
    azure.revoke();
    await expect(client.chat.completions.create({ model, ...hello })).rejects.toMatchObject({ status: 401 });
    azure.allow();
    await expect(client.chat.completions.create({ model, ...hello })).resolves.toBeTruthy();
  });

  test('an expired token', async () => {
    const expiring = await startAzure({ tokenSeconds: -1 });
    const headers = { authorization: `Bearer ${await tokenFor('https://cognitiveservices.azure.com', expiring)}` };
    const response = await fetch(new URL(path, expiring.env['AZURE_OPENAI_ENDPOINT']), { method: 'POST', headers });
    expect(response.status).toBe(401);
    expiring.close();
  });

  test.each([
    [
      'an unknown deployment',
      '/openai/deployments/other/chat/completions?api-version=2024-10-21',
      'DeploymentNotFound',
    ],
    ['a request without api-version', '/openai/deployments/gpt-vision/chat/completions', '404'],
    ['an unknown api-version', '/openai/deployments/gpt-vision/chat/completions?api-version=2099-01-01', '404'],
    ['an unknown path', '/openai/deployments/gpt-vision/completions?api-version=2024-10-21', '404'],
  ])('%s', async (_, wrongPath, code) => {
    expect(await post(azure, wrongPath, hello)).toMatchObject({ status: 404, error: { code } });
  });

  test.each([
    ['a request without messages', { messages: [] }, 'messages', 'invalid_value'],
    ['a message without a role', { messages: [{ content: 'x' }] }, 'messages.0.role', 'invalid_value'],
    ['max_tokens', { ...hello, max_tokens: 5 }, 'max_tokens', 'unsupported_parameter'],
    ['a temperature', { ...hello, temperature: 0.2 }, 'temperature', 'unsupported_value'],
    ['an image by https URL', { messages: [question('?', 'https://example.com/a.png')] }, null, 'invalid_image'],
    [
      'a data URL with text instead of an image',
      { messages: [question('?', dataUrl('image/png', Buffer.from('text')))] },
      null,
      'invalid_image',
    ],
  ])('%s', async (_, body, param, code) => {
    expect(await post(azure, path, body)).toMatchObject({
      status: 400,
      error: { type: 'invalid_request_error', param, code },
    });
  });

  test.each([
    [
      'an object without additionalProperties',
      { type: 'object', properties: {} },
      "'additionalProperties' is required",
    ],
    [
      'a default value',
      closedObject({ a: { type: 'string', default: '' } }),
      "('properties', 'a'), 'default' is not permitted",
    ],
    ['oneOf', closedObject({ a: { oneOf: [] } }), "schema must have a 'type' key"],
    ['an optional property', { ...closedObject({ a: { type: 'string' } }), required: [] }, "Missing 'a'"],
    ['an array at the top', { type: 'array', items: { type: 'string' } }, `must be a JSON Schema of 'type: "object"'`],
    ['a keyword beside $ref', closedObject({ a: { $ref: '#', title: 'x' } }), "$ref cannot have keywords {'title'}"],
    ['a $ref to an unknown definition', closedObject({ a: { $ref: '#/$defs/b' } }), 'not found in the schema'],
  ])('%s in a schema with strict: true, but not with strict: false', async (_, schema, message) => {
    const request = (strict: boolean) => ({
      ...hello,
      response_format: { type: 'json_schema', json_schema: { name: 'x', schema, strict } },
    });
    expect(await post(azure, path, request(true))).toMatchObject({
      status: 400,
      error: { param: 'response_format', message: expect.stringContaining(message) },
    });
    expect(await post(azure, path, request(false))).toMatchObject({ status: 200 });
  });
});

function closedObject(properties: Record<string, unknown>) {
  return { type: 'object', properties, required: Object.keys(properties), additionalProperties: false };
}
