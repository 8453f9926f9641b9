import { expect, test } from 'vitest';
import type { Cell } from './rounds.ts';
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

test('rounds become their means, the highest memory and work, and the shorter block; nothing that failed is lost', () => {
  const other = {
    ...round,
    answered: 30,
    failed: { 503: 2 },
    perSecond: 200,
    addedP50Ms: 4,
    addedP99Ms: 6,
    cpuSecondsPer1000: 3,
    rssOverIdleMb: 40,
    longestBlockMs: 8,
    longestWorkMs: 5,
  };
  const expected = {
    ...other,
    answered: 40,
    perSecond: 150,
    addedP50Ms: 3,
    addedP99Ms: 5,
    cpuSecondsPer1000: 2,
    rssOverIdleMb: 50,
  };
  expect(merged([round, other])).toEqual(expected);
  expect(merged([other, round])).toEqual(expected);
});

test('a side that ended in one round has no figures of the other', () => {
  const ended = { side: 'floor', megabytes: 1, concurrency: 8, reason: 'it ended under the load' } as const;
  expect(merged([round, ended])).toEqual(ended);
  expect(merged([ended, round])).toEqual(ended);
});
