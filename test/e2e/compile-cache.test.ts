import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { still } from '../images/still.ts';
import { startBoth } from './app.ts';
import { ask } from './ask.ts';

test('what V8 compiled is kept from the second start of a machine on', async () => {
  const machine = await mkdtemp(join(tmpdir(), 'machine-'));
  onTestFinished(() => rm(machine, { recursive: true }));
  const first = await filesKeptBy(machine);
  const second = await filesKeptBy(machine);
  // All that the first answer needs; the first start keeps what is loaded after that alone.
  expect(second.length - first.length).toBeGreaterThanOrEqual(6);
});

/** Starts the app, asks it something, and ends it when it has loaded all that it loads by itself. */
async function filesKeptBy(machine: string): Promise<string[]> {
  const { app, azure } = await startBoth({ TMPDIR: machine });
  expect((await ask(app.url, await still('image/png', 8, 8))).status).toBe(200);
  const kept = join(machine, 'node-compile-cache');
  await vi.waitFor(async () => readdir(kept), { timeout: 5_000 });
  await app.stop();
  azure.close();
  return (await readdir(kept, { recursive: true })).toSorted();
}
