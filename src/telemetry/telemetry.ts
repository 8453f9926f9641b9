import { setTimeout as sleep } from 'node:timers/promises';
import type { AnsweredRequest } from '../http/create-handler.ts';
import type { Recorder } from './recorder.ts';

/** How many requests to keep until the recorder is loaded. Further ones are dropped, so that memory does not grow. */
const MAX_WAITING = 1_000;

/**
 * Telemetry that costs a request almost nothing. Spans and metrics are made after the request is answered, by SDKs that
 * are loaded after everything else.
 */
export class Telemetry {
  readonly #start: () => Promise<Recorder>;
  readonly #warn: (line: string) => void;
  #waiting: AnsweredRequest[] = [];
  #recorder: Recorder | undefined;
  #loading: Promise<void> | undefined;

  /**
   * @param start - loads the recorder; called once
   * @param warn - writes a line to the log
   */
  constructor(start: () => Promise<Recorder>, warn: (line: string) => void) {
    this.#start = start;
    this.#warn = warn;
  }

  /** Records a request that is answered, or keeps it until the recorder is loaded. */
  readonly observe = (report: AnsweredRequest): void => {
    if (this.#recorder) this.#record(this.#recorder, report);
    else if (this.#waiting.length < MAX_WAITING) this.#waiting.push(report);
  };

  /**
   * Loads the recorder and gives it the requests that were observed until then. Never rejects: a failure is a warning.
   */
  async load(): Promise<void> {
    this.#loading ??= this.#load();
    return this.#loading;
  }

  /** Sends what is not sent yet. Gives up after this many milliseconds. */
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
        `Telemetry is off: ${error instanceof Error ? error.message : 'it could not be loaded'}. Requests are ` +
          'still answered.',
      );
    }
    this.#waiting = [];
  }

  /** Records a request. A failure here must not fail the request. */
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
