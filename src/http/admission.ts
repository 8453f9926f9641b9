import { Problem } from '../problem.ts';

/** When a caller who was turned away may come again, in seconds: requests of this size end in about that time. */
const RETRY_AFTER_SECONDS = '1';

/** The room that one request takes up while it is under way. */
export interface Room {
  /** @throws {Problem} `overloaded` when so many bytes more are too many */
  readonly grow: (bytes: number) => void;
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

  enter(): Room {
    let own = 0;
    return {
      grow: (bytes) => {
        if (this.#held > own && this.#held + bytes > this.#capacity) throw overloaded();
        own += bytes;
        this.#held += bytes;
      },
      leave: () => {
        this.#held -= own;
        own = 0;
      },
    };
  }
}

function overloaded(): Problem {
  return new Problem('overloaded', 'The service is working on as much as it can hold. Try again in a moment.', {
    headers: { 'retry-after': RETRY_AFTER_SECONDS },
  });
}
