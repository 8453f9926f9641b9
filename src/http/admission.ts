import { Problem } from './problem.ts';
import { releaseBuffer } from './release-buffer.ts';

/** When a caller who was turned away may come again, in seconds: requests of this size end in about that time. */
const RETRY_AFTER_SECONDS = '1';

/** The room that one request takes up while it is under way. */
export interface Reservation {
  /** @throws {Problem} `overloaded` when so many bytes more are too many */
  readonly grow: (bytes: number) => void;
  /** Gives the memory of these back when the request leaves, so that what is counted here is what is there. */
  readonly keep: (buffers: readonly Buffer[]) => void;
  /** Gives back what was counted and kept, before the request leaves. */
  readonly release: (buffer: Buffer) => void;
  readonly leave: () => void;
}

/**
 * Counts the bytes that requests hold, and turns away what would be too many before it is read: a burst is shed, and
 * the process lives. A request that is alone always has room, whatever its size.
 */
export class Admission {
  readonly #capacity: number;
  #held = 0;

  /** @param capacity - bytes that all requests together may hold */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  enter(): Reservation {
    let own = 0;
    const kept = new Set<Buffer>();
    const shrink = (bytes: number): void => {
      this.#held -= bytes;
      own -= bytes;
    };
    return {
      grow: (bytes) => {
        if (this.#held > own && this.#held + bytes > this.#capacity) throw overloaded();
        own += bytes;
        this.#held += bytes;
      },
      keep: (buffers) => {
        for (const buffer of buffers) kept.add(buffer);
      },
      release: (buffer) => {
        shrink(buffer.length);
        kept.delete(buffer);
        releaseBuffer(buffer);
      },
      leave: () => {
        shrink(own);
        for (const buffer of kept) releaseBuffer(buffer);
        kept.clear();
      },
    };
  }
}

function overloaded(): Problem {
  return new Problem('overloaded', 'The service is working on as much as it can hold. Try again in a moment.', {
    headers: { 'retry-after': RETRY_AFTER_SECONDS },
  });
}
