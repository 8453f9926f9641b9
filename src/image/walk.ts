import { inTurn } from '../http/turn.ts';
import { corrupt } from './faults.ts';
import type { Cut, Structure } from './image.ts';

/** How many steps a walk takes from one pause to the next: less than 0.1 ms, even if each of them is dear. */
export const STEPS_PER_PAUSE = 512;
/** How long a walk goes on in one step, in milliseconds. An ordinary image takes less. */
const STEP_MS = 1;
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

/** Runs a walk to its end. Other work has its turn in between. */
export async function finish(walk: Walk): Promise<Structure> {
  for (;;) {
    const structure = await inTurn(() => goOn(walk));
    if (structure) return structure;
  }
}

/** Walks on for about a millisecond. Returns undefined if that is not enough. */
function goOn(walk: Walk): Structure | undefined {
  const started = performance.now();
  do {
    const { done, value } = walk.next();
    if (done) return value;
  } while (performance.now() - started < STEP_MS);
  return undefined;
}
