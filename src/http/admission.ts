import { Problem } from './problem.ts';
import { releaseBuffer } from './release-buffer.ts';
import { limitSpareMemory } from './spare-memory.ts';

/** Retry-After, in seconds. By then, some of the requests in progress have usually ended. */
const RETRY_AFTER_SECONDS = '1';

/** The memory that one request holds while it is in progress. */
export interface Reservation {
  /**
   * Reserves more bytes. Call it before you allocate them.
   * @throws {Problem} `overloaded` if all requests together would hold too many
   */
  readonly grow: (bytes: number) => void;
  /** Frees these buffers in {@link Reservation.leave}, so that the memory is free when it no longer counts. */
  readonly keep: (buffers: readonly Buffer[]) => void;
  /** Frees one buffer before the request is over. Its bytes no longer count. */
  readonly release: (buffer: Buffer) => void;
  /** Ends the reservation and frees all buffers that it keeps. Call it when the request is over. */
  readonly leave: () => void;
}

/**
 * Counts the bytes that requests hold, and refuses a request that would exceed the limit before its body is read. So a
 * burst of requests cannot exhaust the memory of the process. A request that is alone is never refused.
 */
export class Admission {
  readonly #capacity: number;
  #held = 0;

  /** @param capacity - bytes that all requests together may hold */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Starts the reservation of one request, with no bytes. */
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
        limitSpareMemory(this.#capacity - this.#held);
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
  return new Problem('overloaded', 'The service has no memory left for this request. Try again in a moment.', {
    headers: { 'retry-after': RETRY_AFTER_SECONDS },
  });
}
