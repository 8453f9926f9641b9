import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { EmulatedAzure } from '../../src/dev/emulator/azure.ts';
import { type App, startBoth } from './app.ts';
import { checkedFetch } from './ask.ts';

let app: App;
let azure: EmulatedAzure;
let client: OpenAI;
beforeAll(async () => {
  ({ app, azure } = await startBoth({ UPSTREAM_MAX_RETRIES: '2' }));
  // The client keeps its default of two retries.
  client = new OpenAI({ baseURL: `${app.url}/api`, apiKey: 'none', fetch: checkedFetch });
});
afterAll(async () => {
  await app.stop();
  azure.close();
});
beforeEach(() => azure.reset());

async function failure(params: object = {}): Promise<unknown> {
  return client.chat.completions
    .create({ model: 'm', messages: [{ role: 'user', content: 'Hi' }], ...params })
    .catch((error: unknown) => error);
}

test.each([
  { params: { temperature: 0 }, param: 'temperature', code: 'unsupported_value' },
  { params: { max_completion_tokens: 0 }, param: 'max_completion_tokens', code: 'invalid_value' },
])("returns the model's error about a wrong parameter, without retries: $params", async ({ params, param, code }) => {
  expect(await failure(params)).toMatchObject({ status: 400, param, code, message: expect.stringContaining(param) });
  expect(azure.model.requests).toHaveLength(1);
  expect(app.output()).toContain(`"param":"${param}"`);
});

test.each([500, 503, 429])('if the app has retried a %d, the client does not retry it again', async (status) => {
  azure.model.fail({ status, headers: { 'retry-after-ms': '1' } }, Infinity);
  expect(await failure()).toMatchObject({ status: status === 429 ? 429 : 502 });
  expect(azure.model.requests).toHaveLength(3);
});

test('answers 502 and names OPENAI_API_VERSION if the model rejects the API version', async () => {
  const error = { code: 'BadRequest', message: 'API version not supported' };
  azure.model.fail({ status: 400, body: { error } }, Infinity);
  expect(await failure()).toMatchObject({ status: 502, message: expect.stringContaining('OPENAI_API_VERSION') });
  expect(azure.model.requests).toHaveLength(1);
});
