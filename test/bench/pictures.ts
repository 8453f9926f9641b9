import sharp from 'sharp';
import { TILE, tiledHeic } from '../images/heif.ts';
import { TEMPORARY } from './build-sides.ts';
import { keepUp } from './load.ts';
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
      const target = { ...running.target(image), ...(changes ? { leastBytes: 1 } : {}) };
      await keepUp(target, 1, { seconds: 0, least: 1 });
      await running.idle();
      await keepUp(target, 1, { seconds: plan.warmUpSeconds, least: 1 });
      await running.begin();
      const { answered, failed } = await keepUp(target, 1, { seconds: plan.seconds, least: plan.pictures });
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
