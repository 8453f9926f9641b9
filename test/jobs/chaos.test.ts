import { createHash } from 'node:crypto';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { WorkerOptions } from '../../src/jobs/work.ts';
import type { JobStore } from '../../src/jobs/store.ts';
import type { StorageFault } from '../storage/storage-proxy.ts';
import {
  azure,
  endPlatform,
  HastyStore,
  newJob,
  prepare,
  proxy,
  resultsOf,
  run,
  startPlatform,
  storage,
} from './platform.ts';

vi.setConfig({ testTimeout: 120_000 });
beforeAll(startPlatform);
afterAll(endPlatform);

/** Images that nothing is wrong with, of as many widths. */
const IMAGES = 30;
const SHARE_OF_FAULTS = 0.05;
const FAULTS: readonly StorageFault[] = ['refuse', 'break', { delayMs: 150 }];

test('everything that can go wrong at once: each image has its one result, and none is asked twice', async () => {
  const good = await Promise.all(Array.from({ length: IMAGES }, async (_, at) => imageOf(at + 11)));
  const id = await newJob(
    0,
    {},
    {
      ...Object.fromEntries(good.map((bytes, at) => [`${String(at).padStart(3, '0')}.png`, bytes])),
      'broken.jpg': Buffer.from([0xff, 0xd8, 0xff, 0xe0]),
      'deleted.png': good[0] ?? Buffer.alloc(0),
      'replaced.png': await imageOf(200),
    },
  );
  const cancelled = await newJob(40);

  /** Changes blobs when they have been listed, and cancels the other job when three of its images are answered. */
  class Changing extends HastyStore {
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
  const wave = (): void => azure.model.fail({ status: 429, headers: { 'retry-after': '1' } }, 5);
  const timers = [
    ...[500, 3_000, 9_000].map((after) => setTimeout(wave, after)),
    setTimeout(() => azure.setFlex('no-capacity'), 4_000),
    setTimeout(() => azure.setFlex('available'), 7_000),
  ];
  const random = seeded(20);
  proxy.setFault(() => (random() > SHARE_OF_FAULTS ? undefined : FAULTS[Math.floor(random() * FAULTS.length)]));

  const status = await run(id, new Changing(), 2, { prepare: counting });
  for (const timer of timers) clearTimeout(timer);
  proxy.setFault(() => undefined);

  expect(status).toMatchObject({ status: 'done', found: IMAGES + 3, answered: IMAGES + 1, failed: 2 });
  const results = await resultsOf(id);
  const names = results.map(({ blob }) => blob.split('/').at(-1));
  expect(names).toEqual([
    ...good.map((_, at) => `${String(at).padStart(3, '0')}.png`),
    'broken.jpg',
    'deleted.png',
    'replaced.png',
  ]);
  for (const [at, { answer }] of results.slice(0, IMAGES).entries()) expect(answer).toContain(` ${at + 11} x 8 pixels`);
  expect(results.slice(IMAGES).map(({ problem, answer }) => problem?.code ?? answer)).toEqual([
    'corrupt_image',
    'blob_not_found',
    // As it was when it was asked about, not as it was listed.
    expect.stringContaining(' 300 x 8 pixels'),
  ]);
  expect(await new HastyStore().status(cancelled)).toMatchObject({ status: 'cancelled' });
  const times = (bytes: Buffer): number => answered.get(createHash('sha256').update(bytes).digest('hex')) ?? 0;
  expect(good.map(times)).toEqual(good.map(() => 1));
});

async function imageOf(width: number): Promise<Buffer> {
  return sharp({ create: { width, height: 8, channels: 3, background: 'teal' } })
    .png()
    .toBuffer();
}

/** Numbers from 0 to 1, the same ones each time: https://en.wikipedia.org/wiki/Lehmer_random_number_generator */
function seeded(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}
