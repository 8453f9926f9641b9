import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EmulatedAzure } from '../../src/dev/emulator/azure.ts';
import { type App, startBoth } from '../e2e/app.ts';
import { ask, get } from '../e2e/ask.ts';
import { still } from '../images/still.ts';

let app: App;
let azure: EmulatedAzure;
beforeAll(async () => ({ app, azure } = await startBoth()));
afterAll(async () => {
  await app.stop();
  azure.close();
});

// The platform's sign-in sends all groups of a user in one header. With Node's limit of 16 KB, the client waits 230 s.
test.each([12, 17, 31])('answers a request with %d KB of headers', async (kilobytes) => {
  const headers = { 'x-ms-client-principal': 'Z'.repeat(kilobytes * 1024) };
  const answer = await ask(app.url, await still('image/png', 8, 8), { headers });
  expect(answer.status).toBe(200);
  const health = await fetch(`${app.url}/api/health`, { headers });
  expect(await health.json()).toMatchObject({ status: 'ok' });
});

test('the host answers 431 to a request with 33 KB of headers', async () => {
  const headers = { 'x-ms-client-principal': 'Z'.repeat(33 * 1024) };
  expect((await fetch(`${app.url}/api/health`, { headers })).status).toBe(431);
  expect((await get(app.url, 'health')).status).toBe(200);
});
