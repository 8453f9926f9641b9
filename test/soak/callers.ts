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
import { any } from './any.ts';

/** One request, and what may come of it on a fine day. */
export interface Call {
  readonly kind: string;
  readonly allowed: readonly string[];
  /** What an answer has to hold, where there is one: it is to this question and to no other. */
  readonly marker?: string;
  readonly make: (scene: Scene) => Promise<Outcome>;
}

type Send = (scene: Scene, sent: Sent) => Promise<Outcome>;

const ASKED = 'What does the soak ask about this picture?';
const seeds = await seedImages();
const wrong = await wrongFiles();
const small = await Promise.all(
  (['image/png', 'image/jpeg', 'image/gif', 'image/webp'] as const).map(async (type) => still(type, 40, 30)),
);
const large = [await stillOfSize('image/jpeg', 200_000), await stillOfSize('image/png', 3_000_000)];
/** Most are small, so that whoever runs it can work beside it. */
const images = [...small, ...small, ...large];

const phonePictures = [SAILBOAT, await turned(small[1])];

/** The images and the words that callers send, for who wants to look for them in a log. */
export const sentImages: readonly Buffer[] = [
  ...small,
  ...large,
  ...phonePictures,
  ...seeds,
  ...wrong.map(({ bytes }) => bytes),
];
export const INSTRUCTIONS = [ASKED, FUZZED_INSTRUCTIONS];

/** How often each kind of caller comes, of a hundred. */
const mix: readonly (readonly [share: number, call: () => Call])[] = [
  [51, () => ordinary('a question', chunked)],
  [1, phonePicture],
  [12, () => ordinary('a question with a Content-Length', atOnce)],
  [4, () => ordinary('a body whose end is late', lastBytesLate)],
  [12, wrongImage],
  [12, fuzzed],
  [1, () => late('a body that trickles', trickled)],
  [1, () => late('a body that stalls', stalled)],
  [1, () => late('a body that never comes', announced)],
  [
    1,
    () => ({
      kind: 'a caller who leaves inside its body',
      allowed: ['none'],
      make: async (scene) => leavingMidBody(scene, await sent()),
    }),
  ],
  [4, () => ({ kind: 'a caller who leaves', allowed: ['none', 'answer'], make: leaving })],
];

/** Some call or other. */
export function anyCall(): Call {
  let at = randomInt(100);
  for (const [share, call] of mix) {
    if (at < share) return call();
    at -= share;
  }
  throw new Error('the shares do not add up to a hundred');
}

/** Ordinary questions, one in every way of asking. */
export function callsInEveryWay(): Call[] {
  return WAYS.map((way) => ordinary(`a question at the end, ${way.name}`, atOnce, way, small));
}

function ordinary(kind: string, send: Send, way = any(WAYS), from = images): Call {
  const marker = randomUUID();
  const asked = randomInt(4) === 0 ? [any(from), any(from)] : [any(from)];
  return {
    kind,
    marker,
    allowed: ['answer'],
    make: async (scene) =>
      send(scene, await way.put({ images: asked, fields: { instructions: `${ASKED} ${marker}` } })),
  };
}

/** It is decoded, and only so many are at a time. */
function phonePicture(): Call {
  const call = ordinary('a picture as phones take it', atOnce, any(WAYS), phonePictures);
  return { ...call, allowed: [...call.allowed, 'overloaded'] };
}

function wrongImage(): Call {
  const { name, bytes, code } = any(wrong);
  return {
    kind: `an image that is none: ${name}`,
    allowed: [code],
    make: async (scene) => atOnce(scene, await sent(bytes)),
  };
}

function fuzzed(): Call {
  const [given] = sample(input(seeds.length), { numRuns: 1 });
  if (!given) throw new Error('there is nothing to send');
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
  return { kind: 'something broken', allowed, make: async (scene) => atOnce(scene, await toRequest(given, seeds)) };
}

/** The host ends a body below 240 bytes a second on average, so it would wait minutes for the rest of a large one. */
function late(kind: string, send: Send): Call {
  return { kind, allowed: ['none'], make: async (scene) => send(scene, await sent(any(small))) };
}

async function leaving({ app }: Scene): Promise<Outcome> {
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

async function sent(image = any(images), way: Way = any(WAYS)): Promise<Sent> {
  return way.put({ images: [image], fields: { instructions: ASKED } });
}
