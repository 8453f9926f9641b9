import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTinyApp, type TinyApp } from './tiny-app.ts';
import { trialApp } from './trial-app.ts';

let app: TinyApp;
beforeAll(async () => (app = await startTinyApp(trialApp)));
afterAll(() => app.stop());

describe('a function that fails', () => {
  test.each(['throws', 'nothing'])('%s: the client gets an empty 500, and the error is logged', async (path) => {
    const response = await fetch(`${app.url}/v1/${path}?secret=1`);
    expect([response.status, await response.text()]).toEqual([500, '']);
    await expect.poll(() => app.output()).toMatch(new RegExp(`error Functions\\.${path}: Error: `));
    expect(app.output()).not.toContain('secret');
  });
});

test('the log has the messages of the handler with time, level and function, but no debug messages', async () => {
  await fetch(`${app.url}/v1/hello`);
  await expect.poll(() => app.output()).toMatch(/^\[\d{4}-\S+Z\] info {2}Functions\.hello: hello from the handler$/m);
  expect(app.output()).not.toContain('too quiet');
});
