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

// The platform's sign-in sends a person's groups in one header; with Node's own limit of 16 KB, host 4.1037 waits 230 s.
test.each([12, 17, 31])('a request with %d KB of headers is answered', async (kilobytes) => {
  const headers = { 'x-ms-client-principal': 'Z'.repeat(kilobytes * 1024) };
  const answer = await ask(app.url, await still('image/png', 8, 8), { headers });
  expect(answer.status).toBe(200);
  const health = await fetch(`${app.url}/api/health`, { headers });
  expect(await health.json()).toMatchObject({ status: 'ok' });
});

test('above that, the host answers 431 itself', async () => {
  const headers = { 'x-ms-client-principal': 'Z'.repeat(33 * 1024) };
  expect((await fetch(`${app.url}/api/health`, { headers })).status).toBe(431);
  expect((await get(app.url, 'health')).status).toBe(200);
});
