import type { Answers } from './load.ts';
import type { Load } from './plan.ts';
import type { Side } from './side.ts';

/** What one load was to one side. */
export interface Cell extends Load {
  readonly side: Side;
  readonly answered: number;
  readonly failed: Answers['failed'];
  readonly perSecond: number;
  /** Over calling the upstream directly. */
  readonly addedP50Ms: number;
  readonly addedP99Ms: number;
  readonly cpuSecondsPer1000: number;
  readonly rssOverIdleMb: number;
  /** How long nothing else had its turn, */
  readonly longestBlockMs: number;
  /** and how long the process itself worked meanwhile: what is missing, others had the processor. */
  readonly longestWorkMs: number;
}

/** A load without figures: the machine has not the memory that the side would take, or the side ended under it. */
export interface Skipped extends Load {
  readonly side: Side;
  readonly reason: string;
}

/**
 * The rounds of one side under one load as one: means of what was counted, and the highest memory and work. What held the
 * event loop up in one round alone was mostly another process's turn on the same cores: of the longest blocks it is the
 * shorter that counts, for every side. A side that did not come through each of them has no figures.
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
