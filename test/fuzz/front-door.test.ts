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

const CONCURRENT_REQUESTS = 16;
/** Generous, because the machine may be busy. */
const MAX_RESPONSE_MS = 10_000;
const MAX_GROWTH_BYTES = 8 * 1024 * 1024;
const MAX_RESIDENT_BYTES = 400 * 1024 * 1024;

/** The outcomes that a mutated image may have. */
const IMAGE_OUTCOMES = [
  'answer',
  'empty_image',
  'unsupported_image_type',
  'image_too_large',
  'animated_image',
  'corrupt_image',
  'image_rejected',
];
/** The outcomes that a mutated request may have. */
const REQUEST_OUTCOMES = [
  ...IMAGE_OUTCOMES,
  'missing_instructions',
  'invalid_request',
  'too_many_images',
  'not_acceptable',
];
/** The outcomes that a mutated chat request may have. The model checks most of its parameters, not the app. */
const CHAT_OUTCOMES = [
  ...REQUEST_OUTCOMES,
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
  'answers mutated images and requests only with documented outcomes, in bounded time and memory',
  { timeout: INPUTS * 100 },
  async () => {
    const batch = fc.array(input(seeds.length), { minLength: CONCURRENT_REQUESTS, maxLength: CONCURRENT_REQUESTS });
    const send = async (count: number): Promise<void> =>
      fc.assert(
        fc.asyncProperty(batch, async (inputs) => void (await Promise.all(inputs.map(expectAllowedOutcome)))),
        runs(Math.ceil(count / CONCURRENT_REQUESTS)),
      );

    await send(INPUTS / 5); // warm up, so that modules and caches do not count as growth
    const before = await heldBytes(app);
    await send(INPUTS);
    expect((await heldBytes(app)) - before).toBeLessThan(MAX_GROWTH_BYTES);
    expect(residentBytes(app).peak).toBeLessThan(MAX_RESIDENT_BYTES);
    expect(app.alive()).toBe(true);
    expect(app.output()).not.toMatch(/failed unexpectedly|unhandled_rejection|\berror {1}/);
  },
);

async function expectAllowedOutcome(given: Input): Promise<void> {
  const { path, headers, body } = await toRequest(given, seeds);
  const started = performance.now();
  const response = await checkedFetch(app.url + path, { method: 'POST', headers, body });
  const text = await response.text();
  const took = performance.now() - started;
  const { code } = outcomeOf(response.status, response.headers, text);
  const isChat = WAYS[given.way]?.body === 'chat';
  const allowed = given.request.length === 0 ? IMAGE_OUTCOMES : isChat ? CHAT_OUTCOMES : REQUEST_OUTCOMES;
  const what = `${JSON.stringify(given)} was answered ${response.status} ${code} after ${Math.round(took)} ms: ${text.slice(0, 300)}`;
  if (!allowed.includes(code)) throw new Error(what);
  if (took > MAX_RESPONSE_MS) throw new Error(what);
  if (code === 'answer' && headers['accept'] === 'application/json' && !isChat)
    expect(reportedDimensions(text), what).toBe(decodedDimensions(text));
}

/** The dimensions that the emulated model found when it decoded the image. */
function decodedDimensions(text: string): string | undefined {
  return /of (\d+ x \d+) pixels/.exec(text)?.[1];
}

/**
 * The dimensions that the app read from the image's header. Those of a GIF are not compared: its screen and its
 * picture may differ in size, and decoders report one or the other.
 */
function reportedDimensions(text: string): string | undefined {
  const {
    images: [image],
  } = JSON.parse(text) as { images: { type: string; width: number; height: number }[] };
  return image?.type === 'image/gif' ? decodedDimensions(text) : `${image?.width} x ${image?.height}`;
}
