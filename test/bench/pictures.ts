import sharp from 'sharp';
import { TILE, tiledHeic } from '../images/heif.ts';
import { DEFAULT_LIMITS } from '../../src/config/limits.ts';
import { Admission } from '../../src/http/admission.ts';
import { Deadline } from '../../src/http/deadline.ts';
import { ImageReader } from '../../src/image/image-reader.ts';
import { TEMPORARY } from './build-sides.ts';
import { bytesOf, runLoad } from './load.ts';
import { photoOf } from './photo.ts';
import { MEGABYTE, type Plan } from './plan.ts';
import { RunningSide } from './side.ts';
import type { Upstream } from './upstream.ts';

/** What a picture as a phone takes it costs the app. */
export interface Picture {
  readonly name: string;
  readonly megapixels: number;
  readonly answered: number;
  readonly failed: number;
  readonly cpuMs: number;
  readonly rssOverIdleMb: number;
}

/** Asks about each picture, one at a time, in a fresh process: a JPEG that needs nothing, one with metadata, a turned one, a HEIC. */
export async function measurePictures(upstream: Upstream, plan: Plan): Promise<Picture[]> {
  const { columns, rows } = plan.heicTiles;
  const heic = tiledHeic({ columns, rows });
  const width = columns * TILE.width;
  const height = rows * TILE.height;
  const jpeg = sharp({
    create: { width, height, channels: 3, background: 'gray', noise: { type: 'gaussian', mean: 128, sigma: 16 } },
  }).jpeg({ quality: 80 });
  const of = async (orientation: number): Promise<Buffer> => jpeg.clone().withMetadata({ orientation }).toBuffer();
  const pictures = [
    { name: 'JPEG', image: await jpeg.toBuffer(), changes: false },
    { name: 'JPEG with metadata', image: await of(1), changes: false },
    { name: 'turned JPEG', image: await of(6), changes: true },
    { name: 'HEIC', image: heic, changes: true },
  ];
  const measured: Picture[] = [];
  for (const { name, image, changes } of pictures) {
    const running = await RunningSide.start('this project', { ...upstream.env(), TMPDIR: TEMPORARY });
    try {
      const target = { ...running.target(image), ...(changes ? { minBytes: 1 } : {}) };
      await runLoad(target, 1, { seconds: 0, minRequests: 1 });
      await running.idle();
      await runLoad(target, 1, { seconds: plan.warmUpSeconds, minRequests: 1 });
      await running.begin();
      const { answered, failed } = await runLoad(target, 1, { seconds: plan.seconds, minRequests: plan.pictures });
      const { cpuSeconds, idleRss, peakRss } = await running.cost();
      measured.push({
        name,
        megapixels: (width * height) / 1e6,
        answered,
        failed: Object.values(failed).reduce((sum, count) => sum + count, 0),
        cpuMs: (cpuSeconds * 1000) / answered,
        rssOverIdleMb: (peakRss - idleRss) / MEGABYTE,
      });
    } finally {
      await running.stop();
    }
  }
  return measured;
}

/** What reading an image costs that needs nothing but its checks. */
export interface Untouched {
  readonly megabytes: number;
  /** Of CPU for one image, in milliseconds. */
  readonly cpuMs: number;
}

/** For so long an image is read again and again, in milliseconds of CPU. */
const UNTOUCHED_MS = 300;
const UNTOUCHED_ROUNDS = 5;

/** Reads an image of each size of the loads, in this process. The median of the rounds: others use the same cores. */
export async function measureUntouched({ loads }: Plan): Promise<Untouched[]> {
  const reader = new ImageReader({ ...DEFAULT_LIMITS, prepareImages: true }, { workers: 1, maxMemoryBytes: MEGABYTE });
  const deadline = new Deadline(600_000);
  const read = reader.forRequest({ deadline, reservation: new Admission(Infinity).enter() });
  const measured: Untouched[] = [];
  for (const megabytes of new Set(loads.map((load) => load.megabytes))) {
    const image = photoOf(bytesOf({ megabytes }));
    const rounds: number[] = [];
    for (let round = 0; round < UNTOUCHED_ROUNDS; round += 1) rounds.push(await cpuOf(async () => read(image)));
    measured.push({ megabytes, cpuMs: rounds.toSorted((a, b) => a - b)[Math.floor(UNTOUCHED_ROUNDS / 2)] ?? NaN });
  }
  deadline.clear();
  return measured;
}

/** Milliseconds of CPU that one piece of work takes, on average. */
async function cpuOf(work: () => Promise<unknown>): Promise<number> {
  const begin = process.cpuUsage();
  for (let count = 1; ; count += 1) {
    await work();
    const { user, system } = process.cpuUsage(begin);
    const ms = (user + system) / 1_000;
    if (ms >= UNTOUCHED_MS) return ms / count;
  }
}
