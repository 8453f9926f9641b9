import { bytesOf } from './load.ts';
import type { Cell } from './rounds.ts';
import { type Load, MEGABYTE } from './plan.ts';
import type { Side } from './side.ts';

/** One promise, and whether the results keep it. */
export interface Check {
  readonly promise: string;
  readonly measured: string;
  readonly kept: boolean;
}

/** Compares the loads with what was promised. */
export function checkLoads(cells: readonly Cell[]): Check[] {
  return [...checkRatios(cells), ...checkMemory(cells), checkFailures(cells)];
}

function checkRatios(cells: readonly Cell[]): Check[] {
  const rate = ({ perSecond }: Cell): number => perSecond;
  const cpu = ({ cpuSecondsPer1000 }: Cell): number => cpuSecondsPer1000;
  const perCpuSecond = ({ cpuSecondsPer1000 }: Cell): number => 1000 / cpuSecondsPer1000;
  const memory = ({ rssOverIdleMb }: Cell): number => rssOverIdleMb;
  const large = cells.filter(({ megabytes }) => megabytes >= 1);
  const small = cells.filter(({ megabytes }) => megabytes < 1);
  return [
    worst(large, 'Requests per second from 1 MB on: at least 4 times the tutorial', 'tutorial', rate, { atLeast: 4 }),
    worst(large, 'Requests per second from 1 MB on: at least 2.5 times the shared client', 'shared client', rate, {
      atLeast: 2.5,
    }),
    worst(large, 'Requests per second from 1 MB on: at least half of the floor', 'floor', rate, { atLeast: 0.5 }),
    worst(large, 'CPU per request from 1 MB on: at most a third of the tutorial', 'tutorial', cpu, { atMost: 1 / 3 }),
    worst(small, 'Requests per CPU second, 0.1 MB: at least 0.8 of the floor', 'floor', perCpuSecond, { atLeast: 0.8 }),
    worst(small, 'Peak memory over idle, 0.1 MB: at most that of the tutorial', 'tutorial', memory, { atMost: 1 }),
  ];
}

/**
 * Checks this project's figure divided by the other side's, for the load where it is worst. Shows the floor's, too, or
 * the bare SDK's in a comparison with the floor.
 */
function worst(
  cells: readonly Cell[],
  promise: string,
  other: Side,
  figure: (cell: Cell) => number,
  limit: { atLeast: number } | { atMost: number },
): Check {
  const minimum = other === 'floor' ? 'bare SDK' : 'floor';
  const ratioOf = (side: Side, theirs: Cell): number => figure(find(cells, side, theirs) ?? theirs) / figure(theirs);
  const ratios = cells
    .filter(({ side }) => side === other)
    .filter((theirs) => find(cells, 'this project', theirs))
    .map((theirs) => ({ ratio: ratioOf('this project', theirs), least: ratioOf(minimum, theirs), load: theirs }))
    .toSorted((a, b) => ('atLeast' in limit ? a.ratio - b.ratio : b.ratio - a.ratio));
  const [first] = ratios;
  if (!first) return { promise, measured: 'not measured', kept: false };
  const kept = 'atLeast' in limit ? first.ratio >= limit.atLeast : first.ratio <= limit.atMost;
  const measured = `${first.ratio.toFixed(2)} at worst (${nameOf(first.load)}); the ${minimum}'s there is ${first.least.toFixed(2)}`;
  return { promise, measured, kept };
}

function checkMemory(cells: readonly Cell[]): Check[] {
  const many = { megabytes: 20, concurrency: 32 };
  const one = { megabytes: 20, concurrency: 1 };
  const inFlight = (bytesOf(many) * many.concurrency) / MEGABYTE;
  const theirs = find(cells, 'tutorial', many);
  const compared = theirs ? `; the tutorial ${(theirs.rssOverIdleMb / inFlight).toFixed(1)} times` : '';
  return [
    figureOf(
      cells,
      `Peak memory over idle, ${nameOf(many)}: at most 1.25 times the bytes in flight`,
      many,
      ({ rssOverIdleMb: mb }) => ({
        measured: `${(mb / inFlight).toFixed(2)} times${compared}`,
        kept: mb <= 1.25 * inFlight,
      }),
    ),
    figureOf(
      cells,
      `Peak memory over idle, ${nameOf(one)}: at most 40 MB over the image`,
      one,
      ({ rssOverIdleMb: mb }) => ({
        measured: `${(mb - one.megabytes).toFixed(1)} MB over it`,
        kept: mb <= one.megabytes + 40,
      }),
    ),
    figureOf(
      cells,
      `Longest block of the event loop, ${nameOf(one)}: under 15 ms`,
      one,
      ({ longestBlockMs, longestWorkMs }) => ({
        measured: `${longestBlockMs.toFixed(1)} ms, own work at most ${longestWorkMs.toFixed(1)} ms; the tutorial ${find(cells, 'tutorial', one)?.longestBlockMs.toFixed(0)} ms`,
        kept: longestBlockMs < 15,
      }),
    ),
  ];
}

function figureOf(
  cells: readonly Cell[],
  promise: string,
  load: Load,
  judge: (cell: Cell) => Omit<Check, 'promise'>,
): Check {
  const ours = find(cells, 'this project', load);
  return ours ? { promise, ...judge(ours) } : { promise, measured: 'not measured', kept: false };
}

function checkFailures(cells: readonly Cell[]): Check {
  const counts = cells.filter(({ side }) => side === 'this project').flatMap(({ failed }) => Object.values(failed));
  const count = counts.reduce((sum, next) => sum + next, 0);
  return { promise: 'No request of any load failed', measured: `${count} failed`, kept: count === 0 };
}

function find(cells: readonly Cell[], side: Side, { megabytes, concurrency }: Load): Cell | undefined {
  return cells.find((cell) => cell.side === side && cell.megabytes === megabytes && cell.concurrency === concurrency);
}

function nameOf({ megabytes, concurrency }: Load): string {
  return `${concurrency} x ${megabytes} MB`;
}
