/** Why a request's signal was aborted: its time is up. */
export class DeadlinePassed extends Error {
  constructor() {
    super('the deadline of this request has passed');
    this.name = 'DeadlinePassed';
  }
}

/** Why a request's signal was aborted: nobody waits for the answer any more. */
export class CallerGone extends Error {
  constructor() {
    super('the caller went away');
    this.name = 'CallerGone';
  }
}

/**
 * The time that one request has in all, unless its caller goes away before. Every stage waits through it, and none has
 * a clock of its own that could outlast it.
 */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #end: number;

  constructor(milliseconds: number) {
    this.#end = performance.now() + milliseconds;
    this.#timer = setTimeout(() => this.#controller.abort(new DeadlinePassed()), milliseconds);
  }

  /** Aborted with {@link DeadlinePassed} or {@link CallerGone} as its reason. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Milliseconds left; never below zero. */
  remaining(): number {
    return Math.max(0, this.#end - performance.now());
  }

  /** Ends the request at once: its caller went away. */
  abandon(): void {
    this.#controller.abort(new CallerGone());
  }

  /**
   * Settles as `work` does, or rejects with the signal's reason as soon as it is aborted, whether or not what is
   * underneath listens to signals.
   */
  async race<T>(work: Promise<T>): Promise<T> {
    const { signal } = this;
    let stop: (() => void) | undefined;
    const aborted = new Promise<never>((_, reject) => {
      stop = () => reject(signal.reason);
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop, { once: true });
    });
    try {
      return await Promise.race([work, aborted]);
    } finally {
      if (stop) signal.removeEventListener('abort', stop);
    }
  }

  /** Ends the clock of a request that is done. */
  clear(): void {
    clearTimeout(this.#timer);
  }
}
