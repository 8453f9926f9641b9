import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTinyApp, type TinyApp } from './tiny-app.ts';
import { notesOf, trialApp } from './trial-app.ts';

let app: TinyApp;
beforeAll(async () => (app = await startTinyApp(trialApp)));
afterAll(() => app.stop());

describe('the app notices that its client disconnects', () => {
  test('before the answer', async () => {
    const abort = new AbortController();
    const answer = fetch(`${app.url}/v1/slow?disconnects`, { signal: abort.signal }).catch(() => {});
    await expect.poll(() => app.output(), { timeout: 10_000 }).toContain('slow begins');
    abort.abort();
    await answer;
    await expect
      .poll(async () => (await notesOf(app)).disconnected, { timeout: 10_000 })
      .toContain('/v1/slow?disconnects');
  });

  test('during the answer', async () => {
    const abort = new AbortController();
    const response = await fetch(`${app.url}/v1/endless?disconnects`, { signal: abort.signal });
    await response.body?.getReader().read();
    expect((await notesOf(app)).disconnected).not.toContain('/v1/endless?disconnects');
    abort.abort();
    await expect.poll(async () => (await notesOf(app)).disconnected).toContain('/v1/endless?disconnects');
  });
});
