/** The stages of a request that the Server-Timing header lists, in this order. */
const STAGES = ['read', 'token', 'model'] as const;

/** One of {@link STAGES}. */
export type Stage = (typeof STAGES)[number];

/** One run of a stage. A stage may run more than once. Times are milliseconds since the epoch. */
export interface Lap {
  readonly stage: Stage;
  readonly start: number;
  readonly end: number;
  /** What distinguishes it from other runs of the stage, such as the deployment. */
  readonly facts: Readonly<Record<string, string>>;
  /** What was thrown; undefined if the run succeeded. */
  readonly error: unknown;
}

/** Times the stages of one request, in milliseconds. */
export class Stopwatch {
  /** The wall clock is read only once, because it may be changed during a request. `performance.now()` is monotonic. */
  readonly #epoch = Date.now() - performance.now();
  /** Milliseconds since the epoch. */
  readonly start = this.now();
  /** The runs that have ended, in the order in which they ended. */
  readonly laps: Lap[] = [];

  /** The current time, in milliseconds since the epoch. */
  now(): number {
    return this.#epoch + performance.now();
  }

  /** Runs `work` and adds its time to a stage, whether it succeeds or fails. */
  async time<T>(stage: Stage, work: () => Promise<T>, facts: Lap['facts'] = {}): Promise<T> {
    const start = this.now();
    const end = (error?: unknown): void => void this.laps.push({ stage, start, end: this.now(), facts, error });
    try {
      const result = await work();
      end();
      return result;
    } catch (error) {
      end(error);
      throw error;
    }
  }

  /** The milliseconds of each stage that has run, and the total since the start. */
  durations(): Record<string, number> {
    const stages = STAGES.flatMap((stage) => {
      const laps = this.laps.filter((lap) => lap.stage === stage);
      return laps.length === 0
        ? []
        : [[stage, round(laps.reduce((spent, { start, end }) => spent + end - start, 0))] as const];
    });
    return { ...Object.fromEntries(stages), total: round(this.now() - this.start) };
  }

  /** Formats the durations as a Server-Timing header: https://www.w3.org/TR/server-timing/ */
  toHeader(): string {
    return Object.entries(this.durations())
      .map(([stage, spent]) => `${stage};dur=${spent}`)
      .join(', ');
  }
}

function round(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10;
}
