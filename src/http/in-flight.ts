/** Counts the requests in progress, so that a shutdown can wait for them. */
export class InFlight {
  #count = 0;
  readonly #waiting: (() => void)[] = [];

  /**
   * Counts one request.
   * @returns a function to call when the request is over; only its first call counts
   */
  begin(): () => void {
    this.#count += 1;
    let over = false;
    return () => {
      if (over) return;
      over = true;
      this.#count -= 1;
      if (this.#count === 0) for (const resolve of this.#waiting.splice(0)) resolve();
    };
  }

  /** Resolves when no request is in progress, or after this many milliseconds. */
  async drained(milliseconds: number): Promise<void> {
    if (this.#count === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}
