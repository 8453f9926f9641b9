import { expect, test } from 'vitest';
import { startBoth } from '../e2e/app.ts';
import { tiledHeic } from '../images/heif.ts';
import { sayingSide, still } from '../images/still.ts';

const AT_ONCE = 32;

/** 7,936 x 6,144 pixels: 48 megapixels, like the largest photos of phones. libheif reads at most 1,000 tiles. */
const LARGE = tiledHeic({ columns: 31, rows: 32 });
const HUGE = sayingSide(await still('image/jpeg', 640, 480), 30_000);

test(`at once, ${AT_ONCE} photos of 48 megapixels get a 200 or a 503, and ${AT_ONCE} of 900 get a 413`, async () => {
  const { app, azure } = await startBoth();
  const ask = async (image: Uint8Array<ArrayBuffer>): Promise<number> => {
    const url = `${app.url}/api/processImage?instructions=What%20is%20this%3F`;
    const { status, body } = await fetch(url, { method: 'POST', body: image });
    await body?.cancel();
    return status;
  };
  try {
    expect(await ask(new Uint8Array(LARGE)), 'alone').toBe(200);
    const all = Array.from({ length: AT_ONCE }, () => [LARGE, HUGE]).flat();
    const statuses = await Promise.all(all.map(async (image) => ask(new Uint8Array(image))));
    const count = (status: number): number => statuses.filter((each) => each === status).length;
    expect(count(413), 'of 900 megapixels').toBe(AT_ONCE);
    expect(count(200) + count(503), 'of 48 megapixels').toBe(AT_ONCE);
    expect(count(200)).toBeGreaterThan(0);
    expect(app.alive()).toBe(true);
    expect(await ask(new Uint8Array(await still('image/png', 9, 8))), 'afterwards').toBe(200);
  } finally {
    await app.stop();
    azure.close();
  }
}, 600_000);
