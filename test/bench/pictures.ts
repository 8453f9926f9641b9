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

/** What a request with a phone picture costs the app. */
export interface Picture {
  readonly name: string;
  readonly megapixels: number;
  readonly answered: number;
  readonly failed: number;
  /** CPU time of all threads per request, in milliseconds. */
  readonly cpuMs: number;
  /** Highest RSS minus that of the idle process. */
  readonly rssOverIdleMb: number;
}

/**
 * Sends each picture again and again, one at a time and each in a fresh process: a JPEG that needs no change, one with
 * metadata, one to rotate, and a HEIC. The last two are encoded anew, so their size at the upstream is not known.
 */
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

/** What reading an image costs if the image is only checked and not changed. */
export interface Untouched {
  readonly megabytes: number;
  /** CPU time for one image, in milliseconds. */
  readonly cpuMs: number;
}

/** CPU time of one round, in milliseconds. An image is read again and again until it is used up. */
const UNTOUCHED_MS = 300;
const UNTOUCHED_ROUNDS = 5;

/** Reads an image of each size in the loads, in this process. Takes the median, as other processes disturb rounds. */
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

/** Returns the mean CPU time of one piece of work, in milliseconds. */
async function cpuOf(work: () => Promise<unknown>): Promise<number> {
  const begin = process.cpuUsage();
  for (let count = 1; ; count += 1) {
    await work();
    const { user, system } = process.cpuUsage(begin);
    const ms = (user + system) / 1_000;
    if (ms >= UNTOUCHED_MS) return ms / count;
  }
}
