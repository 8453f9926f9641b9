import { TEMPORARY } from './build-sides.ts';
import { bytesOf, runLoad } from './load.ts';
import { photoOf } from './photo.ts';
import { type Load, MEGABYTE, type Plan } from './plan.ts';
import { type Api, APIS } from './measured.ts';
import { RunningSide } from './side.ts';
import type { Upstream } from './upstream.ts';

/** What a request with an image costs in one of OpenAI's formats, over all rounds. */
export interface OpenAiCost {
  readonly api: Api;
  readonly load: Load;
  readonly answered: number;
  /** Requests with any other result. */
  readonly failed: number;
  readonly perSecond: number;
  /** CPU time of all threads. */
  readonly cpuSecondsPer1000: number;
  /** Highest RSS minus that of the idle process. The lowest of the rounds. */
  readonly rssOverIdleMb: number;
}

/** Sends the same image in both formats, in turns and each time in a fresh process, then merges the rounds. */
export async function measureOpenAi(upstream: Upstream, plan: Plan): Promise<OpenAiCost[]> {
  const rounds: OpenAiCost[] = [];
  for (let round = 0; round < plan.openAiRounds; round++)
    for (const api of APIS) rounds.push(await measureRound(upstream, api, plan));
  return APIS.map((api) => merged(rounds.filter((round) => round.api === api)));
}

async function measureRound(upstream: Upstream, api: Api, { openAi: load, ...plan }: Plan): Promise<OpenAiCost> {
  const running = await RunningSide.start('this project', { ...upstream.env(), TMPDIR: TEMPORARY });
  try {
    const image = photoOf(bytesOf(load));
    const target = running.openAiTarget(api, image);
    // The process has handled one request before it counts as idle. Its image is empty, and its result does not matter.
    await runLoad(running.openAiTarget(api, image.subarray(0, 0)), 1, { seconds: 0, minRequests: 1 });
    await running.idle();
    await runLoad(target, load.concurrency, { seconds: plan.warmUpSeconds, minRequests: load.concurrency });
    await running.begin();
    const duration = { seconds: plan.seconds, minRequests: 2 * load.concurrency };
    const { answered, failed, perSecond } = await runLoad(target, load.concurrency, duration);
    const { cpuSeconds, idleRss, peakRss } = await running.cost();
    return {
      api,
      load,
      answered,
      failed: Object.values(failed).reduce((sum, count) => sum + count, 0),
      perSecond,
      cpuSecondsPer1000: (cpuSeconds * 1000) / answered,
      rssOverIdleMb: (peakRss - idleRss) / MEGABYTE,
    };
  } finally {
    await running.stop();
  }
}

function merged(rounds: readonly OpenAiCost[]): OpenAiCost {
  const [first] = rounds;
  if (!first) throw new Error('no round was measured');
  const sum = (figure: (round: OpenAiCost) => number): number => rounds.reduce((all, each) => all + figure(each), 0);
  return {
    ...first,
    answered: sum(({ answered }) => answered),
    failed: sum(({ failed }) => failed),
    perSecond: sum(({ perSecond }) => perSecond) / rounds.length,
    cpuSecondsPer1000: sum(({ cpuSecondsPer1000 }) => cpuSecondsPer1000) / rounds.length,
    rssOverIdleMb: Math.min(...rounds.map(({ rssOverIdleMb }) => rssOverIdleMb)),
  };
}
