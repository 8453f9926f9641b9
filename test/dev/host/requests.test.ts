import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTinyApp, type TinyApp } from './tiny-app.ts';
import { trialApp } from './trial-app.ts';

let app: TinyApp;
beforeAll(async () => (app = await startTinyApp(trialApp)));
afterAll(() => app.stop());

test('preInvocation hooks run, and cookies are set', async () => {
  const response = await fetch(`${app.url}/v1/hello?x=1`);
  expect(await response.text()).toBe('hello');
  expect(response.headers.get('x-hooked')).toBe('hooked');
  expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
});

test('GET / redirects to the playground, but POST / and other paths outside the prefix are a 404', async () => {
  const root = await fetch(`${app.url}/`, { redirect: 'manual' });
  expect([root.status, root.headers.get('location')]).toEqual([302, '/api/playground']);
  expect((await fetch(`${app.url}/`, { method: 'POST' })).status).toBe(404);
  expect((await fetch(`${app.url}/other`)).status).toBe(404);
});

test("a handler sees the client's URL and headers, and the client cannot set the invocation id", async () => {
  const headers = { 'x-custom': 'kept', 'x-ms-invocation-id': 'forged', 'x-forwarded-host': 'elsewhere' };
  const response = await fetch(`${app.url}/v1/seen?a=b%20c`, { headers });
  expect(await response.json()).toMatchObject({ url: `${app.url}/v1/seen?a=b%20c`, headers: { 'x-custom': 'kept' } });
  expect(response.headers.get('x-ms-invocation-id')).toMatch(/^[\da-f-]{36}$/);
});
