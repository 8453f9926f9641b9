import { runStep } from '../http/event-loop.ts';
import { corrupt } from './faults.ts';
import type { Cut, Structure } from './image.ts';

/** How many steps a walk takes between two pauses. This is less than 0.1 ms, even if each step is expensive. */
export const STEPS_PER_PAUSE = 512;
/** How long a walk runs before other work may run. The walk of an ordinary image takes less. */
const STEP_MS = 1;
/** The limit of cuts, because each one adds a piece to send. A camera's image has about ten. */
const MAX_CUTS = 4096;

/**
 * Walks through an image's structure, from header to end. It pauses every {@link STEPS_PER_PAUSE} steps, so that a file
 * with millions of tiny parts does not block the event loop.
 */
export type Walk = Generator<undefined, Structure, undefined>;

/** Collects the parts of a file that do not belong to the picture, in the order of the bytes. */
export class Cuts {
  readonly list: Cut[] = [];
  readonly #format: string;
  /** The last cut, if it has no replacement. If the next cut follows directly, the two are joined. */
  #last: { start: number; end: number } | undefined;

  constructor(format: string) {
    this.#format = format;
  }

  /**
   * Adds the bytes from `start` to before `end`. `instead` takes their place.
   * @throws {Problem} `corrupt_image` if there are more cuts than any ordinary image needs
   */
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

/** Runs a walk to its end. Other work runs in between. */
export async function finish(walk: Walk): Promise<Structure> {
  for (;;) {
    const structure = await runStep(() => goOn(walk));
    if (structure) return structure;
  }
}

/** Continues a walk for about a millisecond. Returns undefined if it is not at its end then. */
function goOn(walk: Walk): Structure | undefined {
  const started = performance.now();
  do {
    const { done, value } = walk.next();
    if (done) return value;
  } while (performance.now() - started < STEP_MS);
  return undefined;
}
