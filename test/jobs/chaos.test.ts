import { createHash } from 'node:crypto';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { WorkerOptions } from '../../src/jobs/work.ts';
import type { JobStore } from '../../src/jobs/store.ts';
import type { StorageFault } from '../storage/storage-proxy.ts';
import {
  azure,
  endPlatform,
  newJob,
  prepare,
  proxy,
  resultsOf,
  run,
  ShortDelayStore,
  startPlatform,
  storage,
} from './platform.ts';

vi.setConfig({ testTimeout: 120_000 });
beforeAll(startPlatform);
afterAll(endPlatform);

/** How many valid images the job has. Each has its own width, which identifies its answer. */
const IMAGES = 30;
const FAULT_RATE = 0.05;
const FAULTS: readonly StorageFault[] = ['refuse', 'break', { delayMs: 150 }];

test('with faults everywhere, each image gets one result and no valid one is answered twice', async () => {
  const valid = await Promise.all(Array.from({ length: IMAGES }, async (_, at) => imageOf(at + 11)));
  const id = await newJob(
    0,
    {},
    {
      ...Object.fromEntries(valid.map((bytes, at) => [`${String(at).padStart(3, '0')}.png`, bytes])),
      'broken.jpg': Buffer.from([0xff, 0xd8, 0xff, 0xe0]),
      'deleted.png': valid[0] ?? Buffer.alloc(0),
      'replaced.png': await imageOf(200),
    },
  );
  const cancelled = await newJob(40);

  /** Changes blobs after they were listed, and cancels the other job after three of its images are answered. */
  class ChangingStore extends ShortDelayStore {
    override async keepPage(...[job, page, found]: Parameters<JobStore['keepPage']>) {
      if (job === id) {
        await storage.images.getBlobClient(`${id}/deleted.png`).deleteIfExists();
        await storage.images.getBlockBlobClient(`${id}/replaced.png`).uploadData(await imageOf(300));
      }
      return super.keepPage(job, page, found);
    }
    override async keepResult(...[job, page, at, result]: Parameters<JobStore['keepResult']>) {
      await super.keepResult(job, page, at, result);
      if (job === cancelled && (answers += 1) >= 3) await this.end(job, { cancelled: new Date().toISOString() });
    }
  }
  let answers = 0;

  const answered = new Map<string, number>();
  const counting: WorkerOptions['prepare'] = async (bytes, ...rest) => {
    const hash = createHash('sha256').update(bytes).digest('hex');
    const ask = await prepare(bytes, ...rest);
    return async (serviceTier) => {
      const asked = await ask(serviceTier);
      answered.set(hash, (answered.get(hash) ?? 0) + 1);
      return asked;
    };
  };

  azure.identity.fail({ status: 400 }, 4);
  azure.model.fail({ status: 500 }, 3);
  azure.model.fail({ breakOff: 'mid-body' }, 2);
  const refuseFive = (): void => azure.model.fail({ status: 429, headers: { 'retry-after': '1' } }, 5);
  const timers = [
    ...[500, 3_000, 9_000].map((after) => setTimeout(refuseFive, after)),
    setTimeout(() => azure.setFlex('no-capacity'), 4_000),
    setTimeout(() => azure.setFlex('available'), 7_000),
  ];
  const random = seeded(20);
  proxy.setFault(() => (random() > FAULT_RATE ? undefined : FAULTS[Math.floor(random() * FAULTS.length)]));

  const status = await run(id, new ChangingStore(), 2, { prepare: counting });
  for (const timer of timers) clearTimeout(timer);
  proxy.setFault(() => undefined);

  expect(status).toMatchObject({ status: 'done', found: IMAGES + 3, answered: IMAGES + 1, failed: 2 });
  const results = await resultsOf(id);
  const names = results.map(({ blob }) => blob.split('/').at(-1));
  expect(names).toEqual([
    ...valid.map((_, at) => `${String(at).padStart(3, '0')}.png`),
    'broken.jpg',
    'deleted.png',
    'replaced.png',
  ]);
  for (const [at, { answer }] of results.slice(0, IMAGES).entries()) expect(answer).toContain(` ${at + 11} x 8 pixels`);
  expect(results.slice(IMAGES).map(({ problem, answer }) => problem?.code ?? answer)).toEqual([
    'corrupt_image',
    'blob_not_found',
    // The width of the blob that was read, not of the one that was listed.
    expect.stringContaining(' 300 x 8 pixels'),
  ]);
  expect(await new ShortDelayStore().status(cancelled)).toMatchObject({ status: 'cancelled' });
  const timesAnswered = (bytes: Buffer): number => answered.get(createHash('sha256').update(bytes).digest('hex')) ?? 0;
  expect(valid.map(timesAnswered)).toEqual(valid.map(() => 1));
});

async function imageOf(width: number): Promise<Buffer> {
  return sharp({ create: { width, height: 8, channels: 3, background: 'teal' } })
    .png()
    .toBuffer();
}

/**
 * Creates a generator of numbers from 0 to 1. They are the same in every run:
 * https://en.wikipedia.org/wiki/Lehmer_random_number_generator
 */
function seeded(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}
