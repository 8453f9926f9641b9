import { megabytes, type Vitals } from './vitals.ts';

const MEGABYTE = 1024 * 1024;
/** The first minute fills caches and pools; a run that is hardly longer shows nothing. */
const WARM_UP_MS = 60_000;
const SHORTEST_MS = 150_000;
/** What is noise: what requests hold that are under way, their sockets, and for resident memory one step of the young generation. */
const NOISE = { held: 4 * MEGABYTE, resident: 32 * MEGABYTE, descriptors: 10 };

/**
 * A process's vitals after the first minute, and at the end. Resident memory is as much as was ever needed at a time, by
 * the heap's young generation for one, and that takes some minutes to be needed: it is early in the second third.
 */
export interface Trend {
  readonly early: Level;
  readonly late: Level;
}
type Level = Omit<Vitals, 'atMs'>;

/** The first and the last third of a run, without its first minute; nothing for a run too short to tell. */
export function trendOf(all: readonly Vitals[]): Trend | undefined {
  if ((all.at(-1)?.atMs ?? 0) < SHORTEST_MS) return undefined;
  const warm = all.filter(({ atMs }) => atMs >= WARM_UP_MS);
  const third = Math.ceil(warm.length / 3);
  const { resident } = levelOf(warm.slice(third, -third));
  return { early: { ...levelOf(warm.slice(0, third)), resident }, late: levelOf(warm.slice(-third)) };
}

/** What has grown beyond noise, in words. */
export function growth(trend: Trend | undefined): string[] {
  if (!trend) return [];
  const more = (of: keyof Level): number => trend.late[of] - trend.early[of];
  return [
    ...(more('held') > NOISE.held
      ? [`The app holds ${megabytes(more('held'))} MB more in the last third than in the first.`]
      : []),
    ...(more('resident') > NOISE.resident
      ? [`The app has ${megabytes(more('resident'))} MB more in memory in the last third than in the second.`]
      : []),
    ...(more('descriptors') > NOISE.descriptors
      ? [`The app has ${more('descriptors')} descriptors more open in the last third than in the first.`]
      : []),
  ];
}

/** For a person to read. */
export function describeTrend(trend: Trend | undefined): string {
  if (!trend) return 'Too short to tell whether anything grows: that takes 3 minutes.';
  const { early, late } = trend;
  return `From the first third to the last, without the first minute: held ${megabytes(early.held)} to ${megabytes(late.held)} MB, descriptors ${early.descriptors} to ${late.descriptors}; from the second to the last, resident ${megabytes(early.resident)} to ${megabytes(late.resident)} MB.`;
}

/** The lower quartile of each: what is under way only ever adds to what is held for good. */
function levelOf(some: readonly Vitals[]): Level {
  const low = (of: keyof Level): number =>
    some.map((vitals) => vitals[of]).toSorted((a, b) => a - b)[Math.floor(some.length / 4)] ?? 0;
  return { held: low('held'), resident: low('resident'), descriptors: low('descriptors') };
}
