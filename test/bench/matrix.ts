import { setTimeout as sleep } from 'node:timers/promises';
import { TEMPORARY } from './build-sides.ts';
import { type Answers, bytesOf, type Duration, keepUp, percentile } from './load.ts';
import { photoOf } from './photo.ts';
import { type Load, MEGABYTE, type Plan } from './plan.ts';
import { type Cell, merged, type Skipped } from './rounds.ts';
import { RunningSide, type Side, SIDES } from './side.ts';
import type { Upstream } from './upstream.ts';

/** Small requests that go ahead, so that idle means a process that has worked before. */
const WARM_UP = { megabytes: 0.1, concurrency: 4, duration: { seconds: 0, least: 24 } };
const warmUpImage = photoOf(bytesOf(WARM_UP));
const SETTLE_MS = 300;
/** Of the bytes in flight; the tutorial's way was seen to take seven times. */
const GREATEST_APPETITE = 9;

/** Puts every load on every side, each time in a fresh process, one side after the other, so that a noisy minute hits them alike. */
export async function measureLoads(
  upstream: Upstream,
  plan: Plan,
  tell: (cell: Cell | Skipped) => void,
): Promise<{ cells: Cell[]; skipped: Skipped[] }> {
  const cells: Cell[] = [];
  const skipped: Skipped[] = [];
  for (const load of plan.loads) {
    const rounds: (Cell | Skipped)[] = [];
    for (let round = 0; round < plan.rounds; round++) rounds.push(...(await measureRound(upstream, load, plan, tell)));
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
  tell: (cell: Cell | Skipped) => void,
): Promise<(Cell | Skipped)[]> {
  const image = photoOf(bytesOf(load));
  await keepUp(upstream.direct(warmUpImage.length), WARM_UP.concurrency, WARM_UP.duration);
  await keepUp(upstream.direct(image.length), load.concurrency, lasting(plan.warmUpSeconds, load));
  const direct = await keepUp(upstream.direct(image.length), load.concurrency, lasting(plan.seconds, load));
  const all: (Cell | Skipped)[] = [];
  for (const side of SIDES) {
    const reason = whyNot(side, load, plan);
    const measured = reason ? { side, ...load, reason } : await measureLoad(upstream, side, load, image, direct, plan);
    tell(measured);
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
    MAX_INFLIGHT_BYTES: String(1024 * MEGABYTE), // no other side sheds load: this one is to carry as much of it
    READY_MADE_FOR: `${warmUpImage.length},${image.length}`,
  });
  try {
    const { failed } = await keepUp(running.target(warmUpImage), WARM_UP.concurrency, WARM_UP.duration);
    if (Object.keys(failed).length > 0)
      throw new Error(`${side} answered small requests with ${Object.keys(failed).join(', ')}:\n${running.output}`);
    await sleep(SETTLE_MS);
    await running.idle();
    await keepUp(running.target(image), load.concurrency, lasting(plan.warmUpSeconds, load));
    await running.begin();
    const answers = await keepUp(running.target(image), load.concurrency, lasting(plan.seconds, load));
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

/** For so long, and each of those at once is sent. */
function lasting(seconds: number, { concurrency }: Load): Duration {
  return { seconds, least: concurrency };
}

/** Why a load is not put on a side, if it is not. */
export function whyNot(side: Side, load: Load, { mostOfTodayMb }: Plan): string | undefined {
  if (side !== 'tutorial' && side !== 'shared client') return undefined;
  const bytes = bytesOf(load) * load.concurrency;
  if (bytes > mostOfTodayMb * MEGABYTE) return 'it would take too long';
  return bytes * GREATEST_APPETITE > process.availableMemory() ? 'it would need more memory than is free' : undefined;
}
