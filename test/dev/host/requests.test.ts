import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTinyApp, type TinyApp } from './tiny-app.ts';
import { trialApp } from './trial-app.ts';

let app: TinyApp;
beforeAll(async () => (app = await startTinyApp(trialApp)));
afterAll(() => app.stop());

test('hooks and cookies take part', async () => {
  const response = await fetch(`${app.url}/v1/hello?x=1`);
  expect(await response.text()).toBe('hello');
  expect(response.headers.get('x-hooked')).toBe('hooked');
  expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
});

test('a browser that asks for the root is sent to the playground, and nobody else is', async () => {
  const root = await fetch(`${app.url}/`, { redirect: 'manual' });
  expect([root.status, root.headers.get('location')]).toEqual([302, '/api/playground']);
  expect((await fetch(`${app.url}/`, { method: 'POST' })).status).toBe(404);
  expect((await fetch(`${app.url}/other`)).status).toBe(404);
});

test("a handler sees the client's URL and headers, and no invocation id of the client", async () => {
  const headers = { 'x-custom': 'kept', 'x-ms-invocation-id': 'forged', 'x-forwarded-host': 'elsewhere' };
  const response = await fetch(`${app.url}/v1/seen?a=b%20c`, { headers });
  expect(await response.json()).toMatchObject({ url: `${app.url}/v1/seen?a=b%20c`, headers: { 'x-custom': 'kept' } });
  expect(response.headers.get('x-ms-invocation-id')).toMatch(/^[\da-f-]{36}$/);
});
