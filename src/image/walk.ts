import { corrupt } from './faults.ts';
import type { Cut, Structure } from './image.ts';

/** How many steps a walk takes from one pause to the next: less than 0.1 ms, even if each of them is dear. */
export const STEPS_PER_PAUSE = 512;
/** How long walks may hold the event loop in one go, in milliseconds. An ordinary image takes less than one. */
const TURN_MS = 3;
/** Each cut is one more piece to send. A camera's image has about ten. */
const MAX_CUTS = 4096;

/**
 * Walks through an image's structure, from header to end. It pauses every {@link STEPS_PER_PAUSE} steps, so that a file
 * made of millions of tiny parts does not hold the event loop.
 */
export type Walk = Generator<undefined, Structure, undefined>;

/** Collects what a walk finds that is no part of the picture, in the order of the bytes. */
export class Cuts {
  readonly list: Cut[] = [];
  readonly #format: string;
  /** The last one without a replacement; it grows with what follows it directly. */
  #last: { start: number; end: number } | undefined;

  constructor(format: string) {
    this.#format = format;
  }

  /** @throws {Problem} `corrupt_image` if there are more cuts than an image has that was not made to harm */
  add(start: number, end: number, instead?: Buffer): void {
    if (start >= end) return;
    if (this.#last?.end === start && !instead) {
      this.#last.end = end;
      return;
    }
    if (this.list.length === MAX_CUTS)
      throw corrupt(`The ${this.#format} has metadata in more than ${MAX_CUTS} places.`);
    const cut = instead ? { start, end, instead } : { start, end };
    this.#last = instead ? undefined : cut;
    this.list.push(cut);
  }
}

/** How long walks have held the event loop since it last had a turn, in milliseconds. */
let held = 0;
let lastTurn: Promise<void> = Promise.resolve();

/**
 * Runs a walk to its end, with turns for the event loop in between. All walks share the time that they may hold it, so
 * that many images at once do not hold it either.
 */
export async function finish(walk: Walk): Promise<Structure> {
  for (;;) {
    if (held >= TURN_MS) await turn();
    const started = performance.now();
    const before = held;
    do {
      const { done, value } = walk.next();
      held = before + performance.now() - started;
      if (done) return value;
    } while (held < TURN_MS);
  }
}

/** Waits for a turn of the event loop that nobody else here has waited for, so that only one goes on in each. */
export async function turn(): Promise<void> {
  lastTurn = lastTurn.then(nextTurn);
  await lastTurn;
}

async function nextTurn(): Promise<void> {
  await new Promise((resolve) => void setImmediate(resolve));
  held = 0;
}
