import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTinyApp, type TinyApp } from './tiny-app.ts';
import { trialApp } from './trial-app.ts';

let app: TinyApp;
beforeAll(async () => (app = await startTinyApp(trialApp)));
afterAll(() => app.stop());

describe('routes', () => {
  test('are found under the prefix, whatever their case, hooks and cookies included', async () => {
    const response = await fetch(`${app.url}/V1/Hello/?x=1`);
    expect(await response.text()).toBe('hello');
    expect(response.headers.get('x-hooked')).toBe('hooked');
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
  });

  test.each([
    ['GET', '/v1/unknown'],
    ['GET', '/hello'],
    ['POST', '/v1/hello'],
    ['HEAD', '/v1/hello'],
  ])('%s %s is an empty 404', async (method, path) => {
    const response = await fetch(`${app.url}${path}`, { method });
    expect(response.status).toBe(404);
    expect(await response.text()).toBe('');
  });

  test('are tried in the order of the functions names', async () => {
    expect(await (await fetch(`${app.url}/v1/same`)).text()).toBe('a');
    expect(await (await fetch(`${app.url}/v1/same`, { method: 'POST' })).text()).toBe('b');
  });
});

test("a handler sees the client's URL and headers, and no invocation id of the client", async () => {
  const headers = { 'x-custom': 'kept', 'x-ms-invocation-id': 'forged', 'x-forwarded-host': 'elsewhere' };
  const response = await fetch(`${app.url}/v1/seen?a=b%20c`, { headers });
  expect(await response.json()).toMatchObject({ url: `${app.url}/v1/seen?a=b%20c`, headers: { 'x-custom': 'kept' } });
  expect(response.headers.get('x-ms-invocation-id')).toMatch(/^[\da-f-]{36}$/);
});
