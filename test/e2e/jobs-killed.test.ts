import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { type EmulatedAzure, startAzure } from '../../src/dev/emulator/azure.ts';
import { type EmulatedStorage, startStorage } from '../../src/dev/emulator/storage.ts';
import { FULL } from '../tier.ts';
import { type App, startApp } from './app.ts';
import { lookAtJob, putImages, resultsOf, startJob } from './job.ts';

/** `npm run test:nightly` kills the app 20 times in a job of 500 images. */
const KILLS = Number(process.env['JOB_KILLS'] ?? (FULL ? 3 : 2));
const IMAGES = 25 * KILLS;
const CONCURRENCY = 8;
const ANSWER_MS = 300;
/** How long messages stay hidden that a killed process had in hand: 10 minutes in Azure. */
const VISIBILITY_SECONDS = 5;
/** What a killed process has sent still arrives. */
const SETTLE_MS = 200;
const ENDS_WITHIN = { timeout: 60_000 + KILLS * 10_000, interval: 500 };
const TEST_MS = 2 * ENDS_WITHIN.timeout;

let azure: EmulatedAzure;
let storage: EmulatedStorage;
beforeAll(async () => {
  azure = await startAzure({ record: true, answerDelayMs: ANSWER_MS });
  storage = await startStorage();
  await storage.ready;
});
beforeEach(() => azure.reset());
afterAll(async () => {
  await storage.close();
  azure.close();
});

test(
  'kills of the app in the midst of a job lose nothing, and cost only what was in hand',
  { timeout: TEST_MS },
  async () => {
    const blobs = await putImages(storage.images, 'killed', IMAGES);
    let app = await start();
    const id = await startJob(app.url, `${storage.images.url}/killed/`);
    const lost = [0];
    for (let kills = 0; kills < KILLS; kills += 1) {
      // The first kills meet the listing. Each further process gets to ask before it is killed, however slow the machine is.
      const asked = azure.model.requests.length;
      if (kills > 1) await expect.poll(() => azure.model.requests.length, ENDS_WITHIN).toBeGreaterThan(asked);
      await sleep(Math.random() * 1_500);
      lost.push(await kill(app, id));
      app = await start();
    }
    await expectDone(app, id, blobs);
    expectOnlyLostAskedAgain(lost);
  },
);

test(
  'two instances share a job, and kills of one after the other cost only what was in hand',
  { timeout: TEST_MS },
  async () => {
    const blobs = await putImages(storage.images, 'shared', IMAGES);
    let [one, other] = await Promise.all([start(), start()]);
    const id = await startJob(one.url, `${storage.images.url}/shared/`);
    await expect.poll(() => [one, other].map((app) => answered(app) > 0), ENDS_WITHIN).toEqual([true, true]);
    const lost = [0];
    for (let kills = 0; kills < Math.ceil(KILLS / 4); kills += 1) {
      lost.push((lost.at(-1) ?? 0) + CONCURRENCY);
      process.kill(one.pid, 'SIGKILL');
      [one, other] = [other, await start()];
    }
    await expectDone(one, id, blobs);
    expectOnlyLostAskedAgain(lost);
  },
);

async function start(): Promise<App> {
  const app = await startApp({
    ...azure.env,
    ...storage.env,
    NODE_EXTRA_CA_CERTS: storage.caFile,
    JOBS_CONCURRENCY: String(CONCURRENCY),
    QUEUE_VISIBILITY_SECONDS: String(VISIBILITY_SECONDS),
  });
  onTestFinished(async () => app.stop());
  return app;
}

/** Kills the only process that works on a job. Returns how many questions so far have no result: they were lost with a process. */
async function kill(app: App, id: string): Promise<number> {
  process.kill(app.pid, 'SIGKILL');
  await expect.poll(() => app.alive(), ENDS_WITHIN).toBe(false);
  await sleep(SETTLE_MS);
  const results = storage.blobs.getContainerClient('vision-jobs').listBlobsFlat({ prefix: `jobs/${id}/results/` });
  return azure.model.requests.length - (await Array.fromAsync(results)).length;
}

/** @param lost - how many questions were lost up to each kill */
function expectOnlyLostAskedAgain(lost: readonly number[]): void {
  const byKill = lost.slice(1).map((total, at) => total - (lost[at] ?? 0));
  expect(Math.max(...byKill), `lost by each kill: ${byKill.join(', ')}`).toBeLessThanOrEqual(CONCURRENCY);
  expect(azure.model.requests.length).toBeGreaterThanOrEqual(IMAGES);
  // One more for each kill: a message that was sent anew, and that was not deleted yet, is there twice.
  expect(azure.model.requests.length).toBeLessThanOrEqual(IMAGES + (lost.at(-1) ?? 0) + byKill.length);
}

async function expectDone(app: App, id: string, blobs: readonly string[]): Promise<void> {
  await expect
    .poll(async () => {
      const { status, found, answered: count, failed } = (await lookAtJob(app.url, id)) ?? {};
      return { status, found, answered: count, failed, poison: await poisonous() };
    }, ENDS_WITHIN)
    .toEqual({ status: 'done', found: IMAGES, answered: IMAGES, failed: 0, poison: 0 });
  const results = await resultsOf(app.url, id);
  expect(results.map(({ blob }) => blob)).toEqual(blobs);
  expect(results.filter(({ answer }) => !answer)).toEqual([]);
}

/** Messages that the host has given up. */
async function poisonous(): Promise<number | undefined> {
  return (await storage.queues.getQueueClient('vision-jobs-poison').getProperties()).approximateMessagesCount;
}

/** Images that an instance has answered, by its log. */
function answered(app: App): number {
  return app.output().split('"outcome":"answered"').length - 1;
}
