import { expect, test } from 'vitest';
import { describeTrend, growth, trendOf } from './growth.ts';
import type { Vitals } from './vitals.ts';

const MEGABYTE = 1024 * 1024;
const STEADY = { held: 40 * MEGABYTE, resident: 300 * MEGABYTE, descriptors: 60 };

test('reports no growth of steady values, whatever the first minute was and despite peaks', () => {
  const all = vitals(10, (minute, at) => ({
    held: (minute < 1 ? 10 : at % 3 === 0 ? 70 : 40) * MEGABYTE,
    descriptors: minute < 1 ? 20 : 60 + (at % 5) * 9,
  }));
  expect(growth(trendOf(all))).toEqual([]);
  expect(describeTrend(trendOf(all))).toContain(
    'held 40.0 to 40.0 MB, descriptors 69 to 69; from the second to the last, resident 300.0 to 300.0 MB.',
  );
});

test.for<[what: string, of: (minute: number) => Partial<Vitals>, complaint: RegExp]>([
  ['held memory', (minute) => ({ held: (40 + minute) * MEGABYTE }), /^The app holds 6\.\d MB more/],
  [
    'resident memory',
    (minute) => ({ resident: (300 + 20 * minute) * MEGABYTE }),
    /^The app has [56]\d\.\d MB more in memory/,
  ],
  [
    'open descriptors',
    (minute) => ({ descriptors: 60 + Math.round(3 * minute) }),
    /^The app has 1\d descriptors more open/,
  ],
])('reports steady growth: %s', ([, of, complaint]) => {
  expect(growth(trendOf(vitals(10, of)))).toEqual([expect.stringMatching(complaint)]);
});

test('reports no growth if resident memory needs some minutes to become steady', () => {
  expect(growth(trendOf(vitals(10, (minute) => ({ resident: Math.min(290, 150 + 40 * minute) * MEGABYTE }))))).toEqual(
    [],
  );
});

test('has no trend for a run that is too short, and says so', () => {
  const trend = trendOf(vitals(2, (minute) => ({ held: minute * 100 * MEGABYTE })));
  expect(trend).toBeUndefined();
  expect(describeTrend(trend)).toMatch(/^Too short/);
});

function vitals(minutes: number, of: (minute: number, at: number) => Partial<Vitals>): Vitals[] {
  return Array.from({ length: minutes * 6 }, (_, at) => ({
    atMs: (at + 1) * 10_000,
    ...STEADY,
    ...of((at + 1) / 6, at),
  }));
}
