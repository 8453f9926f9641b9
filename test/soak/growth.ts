import { megabytes, type Vitals } from './vitals.ts';

const MEGABYTE = 1024 * 1024;
/** The first minute does not count, because it fills caches and pools. */
const WARM_UP_MS = 60_000;
/** A shorter run does not show whether anything grows. */
const SHORTEST_MS = 150_000;
/**
 * Growth up to this counts as noise: memory and sockets of requests in progress, and, for resident memory, one step of
 * the heap's young generation.
 */
const NOISE = { held: 4 * MEGABYTE, resident: 32 * MEGABYTE, descriptors: 10 };

/**
 * A process's vitals early in a run, and late. Resident memory is as large as the process has ever needed, for example
 * for the heap's young generation. It takes some minutes to reach that size, so its early value is from the second
 * third of the run.
 */
export interface Trend {
  readonly early: Level;
  readonly late: Level;
}
type Level = Omit<Vitals, 'atMs'>;

/** Compares the first and the last third of a run, without its first minute. Undefined if the run is too short. */
export function trendOf(all: readonly Vitals[]): Trend | undefined {
  if ((all.at(-1)?.atMs ?? 0) < SHORTEST_MS) return undefined;
  const warm = all.filter(({ atMs }) => atMs >= WARM_UP_MS);
  const third = Math.ceil(warm.length / 3);
  const { resident } = levelOf(warm.slice(third, -third));
  return { early: { ...levelOf(warm.slice(0, third)), resident }, late: levelOf(warm.slice(-third)) };
}

/** Describes everything that has grown beyond noise. */
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

/** Describes a trend for people. */
export function describeTrend(trend: Trend | undefined): string {
  if (!trend) return 'Too short to tell whether anything grows: that takes 3 minutes.';
  const { early, late } = trend;
  return `From the first third to the last, without the first minute: held ${megabytes(early.held)} to ${megabytes(late.held)} MB, descriptors ${early.descriptors} to ${late.descriptors}; from the second to the last, resident ${megabytes(early.resident)} to ${megabytes(late.resident)} MB.`;
}

/** Returns the lower quartile of each value, because requests in progress only add to what the process always holds. */
function levelOf(some: readonly Vitals[]): Level {
  const low = (of: keyof Level): number =>
    some.map((vitals) => vitals[of]).toSorted((a, b) => a - b)[Math.floor(some.length / 4)] ?? 0;
  return { held: low('held'), resident: low('resident'), descriptors: low('descriptors') };
}
