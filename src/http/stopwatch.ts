/** The stages of a request that its Server-Timing header tells of, in their order. */
const STAGES = ['read', 'token', 'model'] as const;

/** One of those stages. */
export type Stage = (typeof STAGES)[number];

/** One stage as it went; a stage may come more than once. Times are milliseconds since the epoch. */
export interface Lap {
  readonly stage: Stage;
  readonly start: number;
  readonly end: number;
  /** What tells it from others of its stage. */
  readonly facts: Readonly<Record<string, string>>;
  /** What it failed with; undefined where it did not. */
  readonly error: unknown;
}

/** Times the stages of one request, in milliseconds. */
export class Stopwatch {
  /** The wall clock may be set meanwhile; what has passed since is measured by the other. */
  readonly #epoch = Date.now() - performance.now();
  /** Since the epoch. */
  readonly start = this.now();
  /** Those that are over, in the order in which they ended. */
  readonly laps: Lap[] = [];

  /** Milliseconds since the epoch. */
  now(): number {
    return this.#epoch + performance.now();
  }

  /** Runs `work` and adds its time to a stage, however it ends. */
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

  /** Milliseconds by stage, those that were reached, and in total. */
  durations(): Record<string, number> {
    const stages = STAGES.flatMap((stage) => {
      const laps = this.laps.filter((lap) => lap.stage === stage);
      return laps.length === 0
        ? []
        : [[stage, round(laps.reduce((spent, { start, end }) => spent + end - start, 0))] as const];
    });
    return { ...Object.fromEntries(stages), total: round(this.now() - this.start) };
  }

  /** As a Server-Timing header: https://www.w3.org/TR/server-timing/ */
  toHeader(): string {
    return Object.entries(this.durations())
      .map(([stage, spent]) => `${stage};dur=${spent}`)
      .join(', ');
  }
}

function round(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10;
}
