import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EmulatedAzure } from '../../src/dev/emulator/azure.ts';
import { type App, startBoth } from '../e2e/app.ts';
import { checkedFetch } from '../e2e/ask.ts';
import { outcomeOf } from '../e2e/faults/outcome.ts';
import { WAYS } from '../e2e/faults/way.ts';
import { heldBytes, PROBE, residentBytes } from '../e2e/memory.ts';
import { keepSecret } from '../e2e/secrets.ts';
import { type Input, input, toRequest } from './input.ts';
import { INPUTS, runs } from './runs.ts';
import { seedImages } from './seeds.ts';

const AT_ONCE = 16;
/** On a machine that does other things too. */
const SLOWEST_MS = 10_000;
const MAX_GROWTH_BYTES = 8 * 1024 * 1024;
const MAX_RESIDENT_BYTES = 400 * 1024 * 1024;

/** What may come of an image; of a request that is broken around it, the rest too. */
const ABOUT_IMAGES = [
  'answer',
  'empty_image',
  'unsupported_image_type',
  'image_too_large',
  'animated_image',
  'corrupt_image',
  'image_rejected',
];
const ABOUT_REQUESTS = [
  ...ABOUT_IMAGES,
  'missing_instructions',
  'invalid_request',
  'too_many_images',
  'not_acceptable',
];
/** In chat, what is not about an image is the model's to refuse. */
const ABOUT_CHATS = [
  ...ABOUT_REQUESTS,
  'upstream_error',
  // The service's own codes, which the app passes on.
  'unknown_parameter',
  'unsupported_parameter',
  'unsupported_value',
  'invalid_value',
  'invalid_request_error',
];

const seeds = await seedImages();

let app: App;
let azure: EmulatedAzure;
beforeAll(async () => {
  ({ app, azure } = await startBoth(PROBE, { record: false }));
  for (const seed of seeds) keepSecret('image', seed);
});
afterAll(async () => {
  await app.stop();
  azure.close();
});

test(
  'broken inputs: an answer of the contract to each, in bounded time and memory',
  { timeout: INPUTS * 100 },
  async () => {
    const several = fc.array(input(seeds.length), { minLength: AT_ONCE, maxLength: AT_ONCE });
    const inputs = async (count: number): Promise<void> =>
      fc.assert(
        fc.asyncProperty(several, async (each) => void (await Promise.all(each.map(isAnswered)))),
        runs(Math.ceil(count / AT_ONCE)),
      );

    await inputs(INPUTS / 5); // what is loaded and kept once is
    const before = await heldBytes(app);
    await inputs(INPUTS);
    expect((await heldBytes(app)) - before).toBeLessThan(MAX_GROWTH_BYTES);
    expect(residentBytes(app).peak).toBeLessThan(MAX_RESIDENT_BYTES);
    expect(app.alive()).toBe(true);
    expect(app.output()).not.toMatch(/failed unexpectedly|unhandled_rejection|\berror {1}/);
  },
);

async function isAnswered(given: Input): Promise<void> {
  const { path, headers, body } = await toRequest(given, seeds);
  const started = performance.now();
  const response = await checkedFetch(app.url + path, { method: 'POST', headers, body });
  const text = await response.text();
  const took = performance.now() - started;
  const { code } = outcomeOf(response.status, response.headers, text);
  const isChat = WAYS[given.way]?.body === 'chat';
  const allowed = given.request.length === 0 ? ABOUT_IMAGES : isChat ? ABOUT_CHATS : ABOUT_REQUESTS;
  const what = `${JSON.stringify(given)} was answered ${response.status} ${code} after ${Math.round(took)} ms: ${text.slice(0, 300)}`;
  if (!allowed.includes(code)) throw new Error(what);
  if (took > SLOWEST_MS) throw new Error(what);
  if (code === 'answer' && headers['accept'] === 'application/json' && !isChat)
    expect(dimensionsTold(text), what).toBe(dimensionsSeen(text));
}

/** What the emulated model found when it decoded the image. */
function dimensionsSeen(text: string): string | undefined {
  return /of (\d+ x \d+) pixels/.exec(text)?.[1];
}

/** What the app read from the image's header. A GIF's screen may have another size than its picture, and decoders differ in which they name. */
function dimensionsTold(text: string): string | undefined {
  const {
    images: [image],
  } = JSON.parse(text) as { images: { type: string; width: number; height: number }[] };
  return image?.type === 'image/gif' ? dimensionsSeen(text) : `${image?.width} x ${image?.height}`;
}
