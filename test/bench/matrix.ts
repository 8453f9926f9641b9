import { setTimeout as sleep } from 'node:timers/promises';
import { TEMPORARY } from './build-sides.ts';
import { type Answers, bytesOf, type Duration, percentile, runLoad } from './load.ts';
import { photoOf } from './photo.ts';
import { type Load, MEGABYTE, type Plan } from './plan.ts';
import { type Cell, merged, type Skipped } from './rounds.ts';
import { RunningSide, type Side, SIDES } from './side.ts';
import type { Upstream } from './upstream.ts';

/** Small requests that are sent first, so that the idle process is one that has already handled requests. */
const WARM_UP = { megabytes: 0.1, concurrency: 4, duration: { seconds: 0, minRequests: 24 } };
const warmUpImage = photoOf(bytesOf(WARM_UP));
/** Wait after the warm-up, before the idle memory is read. */
const SETTLE_MS = 300;
/** Memory that a side may need, as a multiple of the bytes in flight. The tutorial has needed seven times as much. */
const MAX_MEMORY_FACTOR = 9;

/**
 * Runs every load on every side, each time in a fresh process. The sides take turns, so that a minute in which the
 * machine is busy affects all of them.
 */
export async function measureLoads(
  upstream: Upstream,
  plan: Plan,
  log: (cell: Cell | Skipped) => void,
): Promise<{ cells: Cell[]; skipped: Skipped[] }> {
  const cells: Cell[] = [];
  const skipped: Skipped[] = [];
  for (const load of plan.loads) {
    const rounds: (Cell | Skipped)[] = [];
    for (let round = 0; round < plan.rounds; round++) rounds.push(...(await measureRound(upstream, load, plan, log)));
    for (const side of SIDES) {
      const measured = merged(rounds.filter((each) => each.side === side));
      if ('reason' in measured) skipped.push(measured);
      else cells.push(measured);
    }
  }
  return { cells, skipped };
}

async function measureRound(
  upstream: Upstream,
  load: Load,
  plan: Plan,
  log: (cell: Cell | Skipped) => void,
): Promise<(Cell | Skipped)[]> {
  const image = photoOf(bytesOf(load));
  await runLoad(upstream.direct(warmUpImage.length), WARM_UP.concurrency, WARM_UP.duration);
  await runLoad(upstream.direct(image.length), load.concurrency, durationOf(plan.warmUpSeconds, load));
  const direct = await runLoad(upstream.direct(image.length), load.concurrency, durationOf(plan.seconds, load));
  const all: (Cell | Skipped)[] = [];
  for (const side of SIDES) {
    const reason = reasonToSkip(side, load, plan);
    const measured = reason ? { side, ...load, reason } : await measureLoad(upstream, side, load, image, direct, plan);
    log(measured);
    all.push(measured);
  }
  return all;
}

async function measureLoad(
  upstream: Upstream,
  side: Side,
  load: Load,
  image: Buffer,
  direct: Answers,
  plan: Plan,
): Promise<Cell | Skipped> {
  const running = await RunningSide.start(side, {
    ...upstream.env(),
    TMPDIR: TEMPORARY,
    // The other sides reject nothing with 503. With this limit, this project accepts every request of a load, too.
    MAX_INFLIGHT_BYTES: String(1024 * MEGABYTE),
    READY_MADE_FOR: `${warmUpImage.length},${image.length}`,
  });
  try {
    const { failed } = await runLoad(running.target(warmUpImage), WARM_UP.concurrency, WARM_UP.duration);
    if (Object.keys(failed).length > 0)
      throw new Error(`${side} answered small requests with ${Object.keys(failed).join(', ')}:\n${running.output}`);
    await sleep(SETTLE_MS);
    await running.idle();
    await runLoad(running.target(image), load.concurrency, warmUpOf(plan, load));
    await running.begin();
    const answers = await runLoad(running.target(image), load.concurrency, durationOf(plan.seconds, load));
    if (!running.alive) return { side, ...load, reason: 'it ended under the load' };
    const { cpuSeconds, idleRss, peakRss, longestBlockMs, longestWorkMs } = await running.cost();
    return {
      side,
      ...load,
      answered: answers.answered,
      failed: answers.failed,
      perSecond: answers.perSecond,
      addedP50Ms: percentile(answers.latencies, 0.5) - percentile(direct.latencies, 0.5),
      addedP99Ms: percentile(answers.latencies, 0.99) - percentile(direct.latencies, 0.99),
      cpuSecondsPer1000: (cpuSeconds * 1000) / answers.answered,
      rssOverIdleMb: (peakRss - idleRss) / MEGABYTE,
      longestBlockMs,
      longestWorkMs,
    };
  } finally {
    await running.stop();
  }
}

/** This many seconds, with at least one request for each of those at once. */
function durationOf(seconds: number, { concurrency }: Load): Duration {
  return { seconds, minRequests: concurrency };
}

/** V8 compiles for seconds. Small requests cost so little that this would be most of it, so they need more of them. */
function warmUpOf({ warmUpSeconds, smallWarmUps }: Plan, load: Load): Duration {
  const { seconds, minRequests } = durationOf(warmUpSeconds, load);
  return { seconds, minRequests: load.megabytes < 1 ? Math.max(minRequests, smallWarmUps) : minRequests };
}

/** Returns why a load is skipped on a side, or undefined if it runs. */
export function reasonToSkip(side: Side, load: Load, { maxSdkInflightMb }: Plan): string | undefined {
  if (side !== 'tutorial' && side !== 'shared client') return undefined;
  const bytes = bytesOf(load) * load.concurrency;
  if (bytes > maxSdkInflightMb * MEGABYTE) return 'it would take too long';
  return bytes * MAX_MEMORY_FACTOR > process.availableMemory() ? 'it would need more memory than is free' : undefined;
}
