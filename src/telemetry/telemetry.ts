import { setTimeout as sleep } from 'node:timers/promises';
import type { AnsweredRequest } from '../http/create-handler.ts';
import type { Recorder } from './recorder.ts';

/** Kept for the recorder until it is loaded; more would be a memory that grows. */
const MAX_WAITING = 1_000;

/**
 * Telemetry that costs a request nothing but a note of what became of it: spans and metrics are made when it is over,
 * by SDKs that are loaded behind everything else.
 */
export class Telemetry {
  readonly #start: () => Promise<Recorder>;
  readonly #warn: (line: string) => void;
  #waiting: AnsweredRequest[] = [];
  #recorder: Recorder | undefined;
  #loading: Promise<void> | undefined;

  /** @param start - loads the recorder; called once */
  constructor(start: () => Promise<Recorder>, warn: (line: string) => void) {
    this.#start = start;
    this.#warn = warn;
  }

  /** Takes note of a request that is answered. */
  readonly observe = (report: AnsweredRequest): void => {
    if (this.#recorder) this.#record(this.#recorder, report);
    else if (this.#waiting.length < MAX_WAITING) this.#waiting.push(report);
  };

  /** Loads the recorder and gives it what was observed until then. */
  async load(): Promise<void> {
    this.#loading ??= this.#load();
    return this.#loading;
  }

  /** Sends what is left, within so many milliseconds. */
  async end(milliseconds: number): Promise<void> {
    await Promise.race([this.#flush(), sleep(milliseconds, undefined, { ref: false })]);
  }

  async #load(): Promise<void> {
    try {
      const recorder = await this.#start();
      for (const report of this.#waiting) this.#record(recorder, report);
      this.#recorder = recorder;
    } catch (error) {
      this.#warn(
        `Telemetry is off: ${error instanceof Error ? error.message : 'it could not be loaded'}. Requests are served all the same.`,
      );
    }
    this.#waiting = [];
  }

  /** A fault of telemetry is no fault of the request. */
  #record(recorder: Recorder, report: AnsweredRequest): void {
    try {
      recorder.record(report);
    } catch (error) {
      this.#warn(`A request left no trace: ${error instanceof Error ? error.name : 'unknown'}`);
    }
  }

  async #flush(): Promise<void> {
    await this.load();
    await this.#recorder?.end();
  }
}
