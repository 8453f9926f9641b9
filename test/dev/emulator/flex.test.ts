import { OpenAI } from 'openai';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type EmulatedAzure, startAzure } from '../../../src/dev/emulator/azure.ts';
import { collect, question } from './client.ts';

const model = 'gpt-vision';
const messages = [question('Who are you?')];

let azure: EmulatedAzure;
let client: OpenAI;
beforeAll(async () => {
  azure = await startAzure();
  const baseURL = new URL('openai/v1/', azure.env['AZURE_OPENAI_ENDPOINT']).href;
  client = new OpenAI({ baseURL, apiKey: azure.key, maxRetries: 0 });
});
beforeEach(() => azure.reset());
afterAll(() => azure.close());

test.each(['default', 'flex', 'auto'] as const)('an answer to a request for %s names its tier', async (tier) => {
  const expected = tier === 'flex' ? 'flex' : 'default';
  const chat = await client.chat.completions.create({ model, messages, service_tier: tier });
  expect(chat.service_tier).toBe(expected);
  const stream = await client.chat.completions.create({ model, messages, service_tier: tier, stream: true });
  expect((await collect(stream)).at(-1)?.service_tier).toBe(expected);
  const response = await client.responses.create({ model, input: 'Who are you?', service_tier: tier });
  expect(response.service_tier).toBe(expected);
});

test.each([
  ['no-capacity', { status: 429 }],
  ['unsupported', { status: 400, param: 'service_tier' }],
] as const)('while flex is %s, only requests for flex are rejected, until a reset', async (flex, error) => {
  azure.setFlex(flex);
  const chat = { model, messages };
  await expect(client.chat.completions.create({ ...chat, service_tier: 'flex' })).rejects.toMatchObject(error);
  const response = { model, input: 'Who are you?' };
  await expect(client.responses.create({ ...response, service_tier: 'flex' })).rejects.toMatchObject(error);
  expect((await client.chat.completions.create(chat)).service_tier).toBe('default');
  expect((await client.responses.create(response)).service_tier).toBe('default');
  azure.reset();
  expect((await client.chat.completions.create({ ...chat, service_tier: 'flex' })).service_tier).toBe('flex');
});

test('answers after answerDelayMs', async () => {
  const slow = await startAzure({ answerDelayMs: 400 });
  const started = performance.now();
  const baseURL = new URL('openai/v1/', slow.env['AZURE_OPENAI_ENDPOINT']).href;
  await new OpenAI({ baseURL, apiKey: slow.key }).chat.completions.create({ model, messages });
  expect(performance.now() - started).toBeGreaterThanOrEqual(395);
  slow.close();
});
