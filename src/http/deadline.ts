/** The reason of an aborted signal: the request has run out of time. */
export class DeadlinePassed extends Error {
  constructor() {
    super('the deadline of this request has passed');
    this.name = 'DeadlinePassed';
  }
}

/** The reason of an aborted signal: the caller has disconnected. */
export class CallerGone extends Error {
  constructor() {
    super('the caller has disconnected');
    this.name = 'CallerGone';
  }
}

/**
 * The time limit of one request. It ends early if the caller disconnects. All stages of the request wait with it, so
 * that none of them can take longer.
 */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #end: number;

  /** Starts the clock. */
  constructor(milliseconds: number) {
    this.#end = performance.now() + milliseconds;
    this.#timer = setTimeout(() => this.#controller.abort(new DeadlinePassed()), milliseconds);
  }

  /** Aborted with {@link DeadlinePassed} or {@link CallerGone} as its reason. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The milliseconds left, never below zero. */
  remaining(): number {
    return Math.max(0, this.#end - performance.now());
  }

  /** Aborts the signal with {@link CallerGone}. */
  abandon(): void {
    this.#controller.abort(new CallerGone());
  }

  /**
   * Settles as `work` does, or rejects with the signal's reason as soon as the signal is aborted. `work` itself need
   * not listen to the signal.
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

  /** Stops the clock. Call it when the request is over. */
  clear(): void {
    clearTimeout(this.#timer);
  }
}
