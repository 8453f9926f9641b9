import { setTimeout as sleep } from 'node:timers/promises';
import type { Deadline } from '../http/deadline.ts';
import { Problem } from '../http/problem.ts';
import type { Tier } from './job.ts';

/** The first pause if the service does not say how long. Each further pause in a row is twice as long. */
export const FIRST_PAUSE_SECONDS = 5;
/** The longest pause, and the longest delay of a message. */
export const MAX_PAUSE_SECONDS = 300;
/** How long a message waits for the end of a pause. If the pause is longer, the message goes back to the queue. */
const MAX_WAIT_MS = 30_000;

interface Pause {
  /** In milliseconds of `performance.now()`. */
  readonly until: number;
  /** How many pauses there have been in a row. */
  readonly inRow: number;
}

/** A place, or the seconds left of a pause that is too long to wait for. */
export type Entry = { readonly leave: () => void } | { readonly pausedFor: number };

/** The pauses of each price that follow from a 429 of the service. */
export class Pauses {
  readonly #pauses = new Map<Tier, Pause>();

  /** The milliseconds left of the pause at this price. 0 or less if there is none. */
  left(tier: Tier): number {
    return (this.#pauses.get(tier)?.until ?? 0) - performance.now();
  }

  /**
   * Starts a pause: no image is asked about at this price until it ends.
   * @param asked - in seconds. If undefined, the pause doubles with each one in a row.
   */
  pause(tier: Tier, asked: number | undefined): void {
    const now = performance.now();
    const { until, inRow } = this.#pauses.get(tier) ?? { until: 0, inRow: 0 };
    // Requests that were in progress when a pause began are also refused. They do not count as a further pause.
    const isNew = now >= until;
    const own = isNew ? Math.min(FIRST_PAUSE_SECONDS * 2 ** inRow, MAX_PAUSE_SECONDS) : 0;
    const end = now + (asked ?? own) * 1_000;
    this.#pauses.set(tier, { until: Math.max(until, end), inRow: isNew ? inRow + 1 : inRow });
  }

  /**
   * Notes that the service has answered at this price, so that the next pause is a first one. An answer to a request
   * from before a pause does not end the pause.
   */
  succeed(tier: Tier): void {
    if (this.left(tier) <= 0) this.#pauses.delete(tier);
  }
}

/** Limits how many images of this process are in one stage of their work at the same time. */
export class Places {
  readonly #count: number;
  readonly #pauses: Pauses;
  readonly #waiting = new Set<() => void>();
  #taken = 0;

  /** @param count - how many places there are */
  constructor(count: number, pauses: Pauses) {
    this.#count = count;
    this.#pauses = pauses;
  }

  /**
   * Waits for a free place, and for the end of a pause at this price if it is short.
   * @returns a place, which you must leave; or the rest of the pause, if it is long
   * @throws {Problem} `overloaded` if no place is free before the deadline
   */
  async enter(tier: Tier, deadline: Pick<Deadline, 'race' | 'remaining'>): Promise<Entry> {
    for (;;) {
      // A pause may start while this waits for a place, so check both each time.
      const left = this.#pauses.left(tier);
      if (left > Math.min(MAX_WAIT_MS, deadline.remaining())) return { pausedFor: left / 1_000 };
      if (left > 0) await sleep(left);
      else if (this.#taken < this.#count) break;
      else await this.#change(deadline);
    }
    this.#taken += 1;
    return { leave: () => this.#leave() };
  }

  #leave(): void {
    this.#taken -= 1;
    // Wake all of them: a pause may hold back the first one, but not another one at a different price.
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }

  async #change(deadline: Pick<Deadline, 'race'>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add(resolve);
    try {
      await deadline.race(promise);
    } catch {
      throw new Problem('overloaded', 'This message ran out of time while it waited for its turn.');
    } finally {
      this.#waiting.delete(resolve);
    }
  }
}
