import { expect, test } from 'vitest';
import type { Cell } from './matrix.ts';
import { merged } from './rounds.ts';

const round: Cell = {
  side: 'floor',
  megabytes: 1,
  concurrency: 8,
  answered: 10,
  failed: {},
  perSecond: 100,
  addedP50Ms: 2,
  addedP99Ms: 4,
  cpuSecondsPer1000: 1,
  rssOverIdleMb: 50,
  longestBlockMs: 40,
  longestWorkMs: 3,
};

test('rounds become their means, the higher memory and the quieter block; nothing that failed is lost', () => {
  const other = { ...round, answered: 30, failed: { 503: 2 }, perSecond: 200, addedP50Ms: 4, addedP99Ms: 6, cpuSecondsPer1000: 3, rssOverIdleMb: 40, longestBlockMs: 8, longestWorkMs: 5 };
  const expected = { ...other, answered: 40, perSecond: 150, addedP50Ms: 3, addedP99Ms: 5, cpuSecondsPer1000: 2, rssOverIdleMb: 50 };
  expect(merged([round, other])).toEqual([expected]);
  expect(merged([other, round])).toEqual([expected]);
  expect(merged([])).toEqual([]);
});
