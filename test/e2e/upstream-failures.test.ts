import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { EmulatedAzure } from '../../src/dev/emulator/azure.ts';
import { still } from '../images/still.ts';
import { type App, startBoth } from './app.ts';
import { ask } from './ask.ts';

let app: App;
let azure: EmulatedAzure;
let image: Buffer;
beforeAll(async () => {
  ({ app, azure } = await startBoth());
  image = await still('image/png', 16, 16);
});
afterAll(async () => {
  await app.stop();
  azure.close();
});
beforeEach(() => azure.reset());

const choice = { index: 0, message: { role: 'assistant', content: null, refusal: null }, finish_reason: 'stop' };
const completion = (over: object) => ({
  id: 'c',
  object: 'chat.completion',
  model: 'm',
  choices: [{ ...choice, ...over }],
});

test('temporary failures are retried, and the caller does not notice them', async () => {
  azure.model.fail({ status: 500 });
  azure.model.fail({ breakOff: 'before-headers' });
  expect((await ask(app.url, image)).status).toBe(200);
  expect(azure.model.requests).toHaveLength(3);
  const bodies = azure.model.requests.map(({ body }) => JSON.stringify(body));
  expect(new Set(bodies).size, 'every attempt has the same body').toBe(1);
});

test('an answer that the content filter cuts off after some words is returned', async () => {
  azure.model.fail({
    body: completion({ message: { role: 'assistant', content: 'A boat and' }, finish_reason: 'content_filter' }),
  });
  const answer = await ask(app.url, image, { headers: { accept: 'application/json' } });
  expect(answer.json()).toMatchObject({ answer: 'A boat and', finishReason: 'content_filter' });
});

test('a refusal of the model is returned as an answer, as text and as JSON', async () => {
  azure.model.fail({ body: completion({ message: { role: 'assistant', content: null, refusal: 'I will not.' } }) }, 2);
  expect((await ask(app.url, image)).text).toBe('I will not.');
  const answer = await ask(app.url, image, { headers: { accept: 'application/json' } });
  expect(answer.json()).toMatchObject({ answer: '', refusal: 'I will not.' });
});
