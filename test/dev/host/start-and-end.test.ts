import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { startTinyApp } from './tiny-app.ts';
import { notesOf, trialApp } from './trial-app.ts';

describe('an app that cannot be served', () => {
  test.each([
    ['does not enable streams', `app.get('a', () => ({}));`, 'enableHttpStream'],
    ['has no function', ``, 'registered no function'],
    [
      'has a route that this host does not support',
      `app.setup({ enableHttpStream: true }); app.http('a', { route: 'a/{id:int}', handler: () => ({}) });`,
      'a/{id:int}',
    ],
    [
      'throws',
      `throw new Error('The settings need attention: NAME is not set');`,
      'The settings need attention: NAME is not set',
    ],
  ])('fails to start with the reason if it %s', async (_, body, reason) => {
    const start = startTinyApp(`import { app } from '@azure/functions'; ${body}`);
    await expect(start).rejects.toThrow(reason);
  });
});

test("the host and the library's own server listen on 127.0.0.1 only", async () => {
  const app = await startTinyApp(trialApp);
  const addresses = new Set((await notesOf(app)).addresses);
  expect([...addresses]).toEqual(['127.0.0.1']);
  await app.stop();
});

describe('shutdown', () => {
  test('waits for requests in progress, runs the hooks and exits with 0, even if Ctrl-C arrives twice', async () => {
    const app = await startTinyApp(trialApp);
    const answer = fetch(`${app.url}/v1/slow`).then((response) => response.text());
    await sleep(300);
    const first = app.stop('SIGINT');
    await sleep(100);
    const second = app.stop('SIGINT');
    expect(await answer).toBe('done');
    expect([await first, await second]).toEqual([0, 0]);
    expect(app.output()).toMatch(/hook: start[^]*hook: terminate/);
  });

  test('does not wait after a second Ctrl-C, and exits with 130', async () => {
    const app = await startTinyApp(trialApp);
    const broken = expect(fetch(`${app.url}/v1/endless`).then((response) => response.text())).rejects.toThrow(
      'terminated',
    );
    await sleep(300);
    const first = app.stop('SIGINT');
    await sleep(700);
    const started = performance.now();
    expect([await app.stop('SIGINT'), await first]).toEqual([130, 130]);
    expect(performance.now() - started).toBeLessThan(1000);
    await broken;
  });
});
