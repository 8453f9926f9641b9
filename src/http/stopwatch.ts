/** The stages of a request that its Server-Timing header tells of, in their order. */
const STAGES = ['read', 'token', 'model'] as const;

/** One of those stages. */
export type Stage = (typeof STAGES)[number];

/** Times the stages of one request, in milliseconds. */
export class Stopwatch {
  readonly #start = performance.now();
  readonly #spent = new Map<Stage, number>();

  /** Runs `work` and adds its time to a stage, however it ends. */
  async time<T>(stage: Stage, work: () => Promise<T>): Promise<T> {
    const start = performance.now();
    try {
      return await work();
    } finally {
      this.#spent.set(stage, (this.#spent.get(stage) ?? 0) + performance.now() - start);
    }
  }

  /** Milliseconds by stage, those that were reached, and in total. */
  durations(): Record<string, number> {
    const stages = STAGES.flatMap((stage) => {
      const spent = this.#spent.get(stage);
      return spent === undefined ? [] : [[stage, round(spent)] as const];
    });
    return { ...Object.fromEntries(stages), total: round(performance.now() - this.#start) };
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
