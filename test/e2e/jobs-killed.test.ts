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
/** How long the messages that a killed process was working on stay hidden. In Azure, it is 10 minutes. */
const VISIBILITY_SECONDS = 5;
/** Time for requests to arrive that a process has sent before it was killed. */
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
  'if the app is killed during a job, no image is lost, and only questions in progress are asked again',
  { timeout: TEST_MS },
  async () => {
    const blobs = await putImages(storage.images, 'killed', IMAGES);
    let app = await start();
    const id = await startJob(app.url, `${storage.images.url}/killed/`);
    const lost = [0];
    for (let kills = 0; kills < KILLS; kills += 1) {
      // The first two kills hit the listing. After them, each process calls the model before it is killed.
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
  'two instances share a job, and if they are killed in turn, only questions in progress are asked again',
  { timeout: TEST_MS },
  async () => {
    const blobs = await putImages(storage.images, 'shared', IMAGES);
    let [first, second] = await Promise.all([start(), start()]);
    const id = await startJob(first.url, `${storage.images.url}/shared/`);
    await expect.poll(() => [first, second].map((app) => answered(app) > 0), ENDS_WITHIN).toEqual([true, true]);
    const lost = [0];
    for (let kills = 0; kills < Math.ceil(KILLS / 4); kills += 1) {
      lost.push((lost.at(-1) ?? 0) + CONCURRENCY);
      process.kill(first.pid, 'SIGKILL');
      [first, second] = [second, await start()];
    }
    await expectDone(first, id, blobs);
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

/**
 * Kills the only process that works on a job. Returns how many questions have no result so far: they were lost with a
 * process.
 */
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
  // One more per kill: a message exists twice if it was sent again and the original was not deleted yet.
  expect(azure.model.requests.length).toBeLessThanOrEqual(IMAGES + (lost.at(-1) ?? 0) + byKill.length);
}

async function expectDone(app: App, id: string, blobs: readonly string[]): Promise<void> {
  await expect
    .poll(async () => {
      const { status, found, answered: count, failed } = (await lookAtJob(app.url, id)) ?? {};
      return { status, found, answered: count, failed, poison: await poisonMessages() };
    }, ENDS_WITHIN)
    .toEqual({ status: 'done', found: IMAGES, answered: IMAGES, failed: 0, poison: 0 });
  const results = await resultsOf(app.url, id);
  expect(results.map(({ blob }) => blob)).toEqual(blobs);
  expect(results.filter(({ answer }) => !answer)).toEqual([]);
}

/** Counts the messages in the poison queue: the host has given up on them. */
async function poisonMessages(): Promise<number | undefined> {
  return (await storage.queues.getQueueClient('vision-jobs-poison').getProperties()).approximateMessagesCount;
}

/** Counts the images that an instance has answered, according to its log. */
function answered(app: App): number {
  return app.output().split('"outcome":"answered"').length - 1;
}
