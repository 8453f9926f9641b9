import { randomInt, randomUUID } from 'node:crypto';
import { sample } from 'fast-check';
import type { Scene } from '../e2e/faults/fault.ts';
import { NO_ANSWER, type Outcome, outcomeOf } from '../e2e/faults/outcome.ts';
import { announced, atOnce, chunked, lastBytesLate, leavingMidBody, stalled, trickled } from '../e2e/faults/send.ts';
import { type Sent, WAYS, type Way } from '../e2e/faults/way.ts';
import { FUZZED_INSTRUCTIONS, input, toRequest } from '../fuzz/input.ts';
import { seedImages } from '../fuzz/seeds.ts';
import { SAILBOAT } from '../images/heif.ts';
import { still, stillOfSize, turned } from '../images/still.ts';
import { wrongFiles } from '../images/wrong.ts';
import { randomItem } from './random-item.ts';

/** One request, and the outcomes that it may have while no fault is injected. */
export interface Call {
  readonly kind: string;
  readonly allowed: readonly string[];
  /** Text that an answer must contain, which shows that it is the answer to this question. */
  readonly marker?: string;
  readonly make: (scene: Scene) => Promise<Outcome>;
}

type Send = (scene: Scene, sent: Sent) => Promise<Outcome>;

const QUESTION = 'What does the soak ask about this picture?';
const seeds = await seedImages();
const wrong = await wrongFiles();
const small = await Promise.all(
  (['image/png', 'image/jpeg', 'image/gif', 'image/webp'] as const).map(async (type) => still(type, 40, 30)),
);
const large = [await stillOfSize('image/jpeg', 200_000), await stillOfSize('image/png', 3_000_000)];
/** Most are small, so that the machine can be used for other work during a soak. */
const images = [...small, ...small, ...large];

const phonePictures = [SAILBOAT, await turned(small[1])];

/** All images that callers send. The output of the app must not contain them. */
export const sentImages: readonly Buffer[] = [
  ...small,
  ...large,
  ...phonePictures,
  ...seeds,
  ...wrong.map(({ bytes }) => bytes),
];
/** All instructions that callers send. The output of the app must not contain them, either. */
export const INSTRUCTIONS = [QUESTION, FUZZED_INSTRUCTIONS];

/** The kinds of calls, each with its share in percent. */
const mix: readonly (readonly [share: number, call: () => Call])[] = [
  [51, () => ordinary('a question', chunked)],
  [1, phonePicture],
  [12, () => ordinary('a question with a Content-Length', atOnce)],
  [4, () => ordinary('a body that ends late', lastBytesLate)],
  [12, wrongImage],
  [12, fuzzed],
  [1, () => late('a body that trickles', trickled)],
  [1, () => late('a body that stalls', stalled)],
  [1, () => late('a body that never arrives', announced)],
  [
    1,
    () => ({
      kind: 'a client that disconnects within its body',
      allowed: ['none'],
      make: async (scene) => leavingMidBody(scene, await sent()),
    }),
  ],
  [4, () => ({ kind: 'a client that disconnects', allowed: ['none', 'answer'], make: askAndDisconnect })],
];

/** Returns a random call, according to the shares. */
export function randomCall(): Call {
  let at = randomInt(100);
  for (const [share, call] of mix) {
    if (at < share) return call();
    at -= share;
  }
  throw new Error('the shares do not add up to a hundred');
}

/** Returns an ordinary question for each way of sending one. */
export function callsInEveryWay(): Call[] {
  return WAYS.map((way) => ordinary(`a question while the app drains, ${way.name}`, atOnce, way, small));
}

function ordinary(kind: string, send: Send, way = randomItem(WAYS), from = images): Call {
  const marker = randomUUID();
  const pictures = randomInt(4) === 0 ? [randomItem(from), randomItem(from)] : [randomItem(from)];
  return {
    kind,
    marker,
    allowed: ['answer'],
    make: async (scene) =>
      send(scene, await way.put({ images: pictures, fields: { instructions: `${QUESTION} ${marker}` } })),
  };
}

/** The app must decode such an image. It rejects one with `overloaded` if it is decoding too many. */
function phonePicture(): Call {
  const call = ordinary('a picture from a phone', atOnce, randomItem(WAYS), phonePictures);
  return { ...call, allowed: [...call.allowed, 'overloaded'] };
}

function wrongImage(): Call {
  const { name, bytes, code } = randomItem(wrong);
  return {
    kind: `an image that is not accepted: ${name}`,
    allowed: [code],
    make: async (scene) => atOnce(scene, await sent(bytes)),
  };
}

function fuzzed(): Call {
  const [given] = sample(input(seeds.length), { numRuns: 1 });
  if (!given) throw new Error('fast-check made no input');
  const allowed = [
    'answer',
    'empty_image',
    'unsupported_image_type',
    'image_too_large',
    'animated_image',
    'corrupt_image',
    'missing_instructions',
    'invalid_request',
    'too_many_images',
    'not_acceptable',
  ];
  return { kind: 'a fuzzed request', allowed, make: async (scene) => atOnce(scene, await toRequest(given, seeds)) };
}

/**
 * Sends a small image, because the host ends a body that arrives at less than 240 bytes a second on average. It would
 * wait minutes for the rest of a large one.
 */
function late(kind: string, send: Send): Call {
  return { kind, allowed: ['none'], make: async (scene) => send(scene, await sent(randomItem(small))) };
}

/** Disconnects after a random time, which may be before or after the answer. */
async function askAndDisconnect({ app }: Scene): Promise<Outcome> {
  const { path, headers, body } = await sent();
  try {
    const response = await fetch(app.url + path, {
      method: 'POST',
      headers,
      body,
      signal: AbortSignal.timeout(randomInt(1, 300)),
    });
    return outcomeOf(response.status, response.headers, await response.text());
  } catch {
    return NO_ANSWER;
  }
}

async function sent(image = randomItem(images), way: Way = randomItem(WAYS)): Promise<Sent> {
  return way.put({ images: [image], fields: { instructions: QUESTION } });
}
