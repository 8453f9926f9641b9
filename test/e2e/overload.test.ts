import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EmulatedAzure } from '../../src/dev/emulator/azure.ts';
import { stillOfSize } from '../images/still.ts';
import { type App, startBoth } from './app.ts';
import { ask, type Asked } from './ask.ts';

let app: App;
let azure: EmulatedAzure;
beforeAll(async () => ({ app, azure } = await startBoth({ MAX_INFLIGHT_BYTES: '10000000' })));
afterAll(async () => {
  await app.stop();
  azure.close();
});

test('in a burst, answers the requests that fit, rejects the others at once, and accepts more afterwards', async () => {
  const image = await stillOfSize('image/jpeg', 3_000_000);
  azure.model.fail({ delayMs: 4_000 }, Infinity);
  const started = performance.now();
  const shedAfter: number[] = [];
  const answers = await Promise.all(
    Array.from({ length: 20 }, async (): Promise<Asked> => {
      const answer = await ask(app.url, image);
      if (answer.status === 503) shedAfter.push(performance.now() - started);
      return answer;
    }),
  );
  const shed = answers.filter(({ status }) => status === 503);
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(3);
  expect(shed).toHaveLength(17);
  for (const answer of shed) {
    expect(answer.json()).toMatchObject({ code: 'overloaded' });
    expect(answer.headers.get('retry-after')).toBe('1');
  }
  expect(Math.max(...shedAfter), 'rejected before the first answer').toBeLessThan(4_000);
  expect(azure.model.requests).toHaveLength(3);

  azure.model.reset();
  expect((await ask(app.url, image)).status).toBe(200);
});
