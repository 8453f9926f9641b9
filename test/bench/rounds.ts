import type { Cell } from './matrix.ts';

/**
 * The rounds of one side as one: means of what was counted, and the higher memory. What held the event loop up in one round
 * alone was another process's turn on the same cores, or the collector's of a process that had it before; of the longest
 * blocks it is the shorter that counts, for every side.
 */
export function merged(rounds: readonly Cell[]): Cell[] {
  const [first] = rounds;
  if (!first) return [];
  const mean = (figure: (cell: Cell) => number): number => rounds.reduce((sum, cell) => sum + figure(cell), 0) / rounds.length;
  const failed: Record<string, number> = {};
  for (const [result, count] of rounds.flatMap((cell) => Object.entries(cell.failed))) failed[result] = (failed[result] ?? 0) + count;
  const quieter = rounds.reduce((a, b) => (a.longestBlockMs <= b.longestBlockMs ? a : b));
  return [
    {
      ...quieter,
      answered: rounds.reduce((sum, { answered }) => sum + answered, 0),
      failed,
      perSecond: mean(({ perSecond }) => perSecond),
      addedP50Ms: mean(({ addedP50Ms }) => addedP50Ms),
      addedP99Ms: mean(({ addedP99Ms }) => addedP99Ms),
      cpuSecondsPer1000: mean(({ cpuSecondsPer1000 }) => cpuSecondsPer1000),
      rssOverIdleMb: Math.max(...rounds.map(({ rssOverIdleMb }) => rssOverIdleMb)),
    },
  ];
}
