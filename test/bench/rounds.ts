import type { Answers } from './load.ts';
import type { Load } from './plan.ts';
import type { Side } from './side.ts';

/** What one load costs one side, over all rounds. */
export interface Cell extends Load {
  readonly side: Side;
  readonly answered: number;
  /** Number of requests by any other result. */
  readonly failed: Answers['failed'];
  readonly perSecond: number;
  /** Median latency, minus that of direct calls of the upstream. */
  readonly addedP50Ms: number;
  /** The same for the 99th percentile. */
  readonly addedP99Ms: number;
  /** CPU time of all threads per 1,000 answered requests. */
  readonly cpuSecondsPer1000: number;
  /** Highest RSS minus that of the idle process. */
  readonly rssOverIdleMb: number;
  /** Longest time in which the event loop ran nothing else. Other processes on the same cores can make it longer. */
  readonly longestBlockMs: number;
  /** Longest CPU time of the main thread in one turn of the event loop. Other processes do not count here. */
  readonly longestWorkMs: number;
}

/** A load without figures, because it would take too long or too much memory, or because the side's process ended. */
export interface Skipped extends Load {
  readonly side: Side;
  readonly reason: string;
}

/**
 * Merges the rounds of one side with one load: sums of the requests, means of rates, latencies and CPU time, and the
 * highest memory and work. Of the longest blocks the shortest counts, for every side: a block in only one round is
 * mostly caused by another process on the same cores. If one round has no figures, the result has none.
 */
export function merged(rounds: readonly (Cell | Skipped)[]): Cell | Skipped {
  const cells: Cell[] = [];
  for (const each of rounds) {
    if ('reason' in each) return each;
    cells.push(each);
  }
  const [first] = cells;
  if (!first) throw new Error('no round was measured');
  const mean = (figure: (cell: Cell) => number): number =>
    cells.reduce((sum, cell) => sum + figure(cell), 0) / cells.length;
  const failed: Record<string, number> = {};
  for (const [result, count] of cells.flatMap((cell) => Object.entries(cell.failed)))
    failed[result] = (failed[result] ?? 0) + count;
  return {
    ...first,
    answered: cells.reduce((sum, { answered }) => sum + answered, 0),
    failed,
    perSecond: mean(({ perSecond }) => perSecond),
    addedP50Ms: mean(({ addedP50Ms }) => addedP50Ms),
    addedP99Ms: mean(({ addedP99Ms }) => addedP99Ms),
    cpuSecondsPer1000: mean(({ cpuSecondsPer1000 }) => cpuSecondsPer1000),
    rssOverIdleMb: Math.max(...cells.map(({ rssOverIdleMb }) => rssOverIdleMb)),
    longestBlockMs: Math.min(...cells.map(({ longestBlockMs }) => longestBlockMs)),
    longestWorkMs: Math.max(...cells.map(({ longestWorkMs }) => longestWorkMs)),
  };
}
