import { setTimeout as sleep } from 'node:timers/promises';
import type { Deadline } from '../http/deadline.ts';
import { Problem } from '../http/problem.ts';
import type { Tier } from './job.ts';

/** The first pause if the service does not say how long; each further pause in a row is twice as long, up to the limit. */
export const FIRST_PAUSE_SECONDS = 5;
export const MAX_PAUSE_SECONDS = 300;
/** A pause no longer than this is waited for in place, so that messages do not go round the queue meanwhile. */
const MAX_WAIT_MS = 30_000;

interface Pause {
  /** By `performance.now()`. */
  readonly until: number;
  readonly inRow: number;
}

/** A place, or the seconds that are left of a pause too long to wait for. */
export type Entry = { readonly leave: () => void } | { readonly pausedFor: number };

/** The pauses that the service asks for. */
export class Pauses {
  readonly #pauses = new Map<Tier, Pause>();

  /** Milliseconds that are left of the pause at this price; 0 or less if there is none. */
  left(tier: Tier): number {
    return (this.#pauses.get(tier)?.until ?? 0) - performance.now();
  }

  /**
   * Lets nobody enter at this price for a time.
   * @param asked - seconds; if undefined, the pause is longer with each one in a row
   */
  pause(tier: Tier, asked: number | undefined): void {
    const now = performance.now();
    const { until, inRow } = this.#pauses.get(tier) ?? { until: 0, inRow: 0 };
    // Requests that were under way when a pause began are refused as well, which is not news.
    const isNew = now >= until;
    const own = isNew ? Math.min(FIRST_PAUSE_SECONDS * 2 ** inRow, MAX_PAUSE_SECONDS) : 0;
    const end = now + (asked ?? own) * 1_000;
    this.#pauses.set(tier, { until: Math.max(until, end), inRow: isNew ? inRow + 1 : inRow });
  }

  /** The service has answered at this price: the next pause is a first one. An answer that was under way before a pause does not end it. */
  succeed(tier: Tier): void {
    if (this.left(tier) <= 0) this.#pauses.delete(tier);
  }
}

/** Limits how many images of this process are in one stage of their work at once. */
export class Places {
  readonly #count: number;
  readonly #pauses: Pauses;
  readonly #waiting = new Set<() => void>();
  #taken = 0;

  constructor(count: number, pauses: Pauses) {
    this.#count = count;
    this.#pauses = pauses;
  }

  /**
   * Waits for a place, and for the end of a short pause at this price.
   * @throws {Problem} `overloaded` if no place is free before the deadline
   */
  async enter(tier: Tier, deadline: Pick<Deadline, 'race' | 'remaining'>): Promise<Entry> {
    for (;;) {
      // A pause may begin while this waits for a place, so both are looked at each time.
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
    // All of them look again, because the first may be kept by a pause that is none for the others.
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
