import { setTimeout as sleep } from 'node:timers/promises';
import { TEMPORARY } from './build-sides.ts';
import { type Answers, bytesOf, sendAtOnce } from './load.ts';
import { photoOf } from './photo.ts';
import { MEGABYTE, type Plan } from './plan.ts';
import { RunningSide } from './side.ts';
import type { Upstream } from './upstream.ts';

const IMAGE = { megabytes: 0.1 };
const UPSTREAM_MS = 2_000;
const SAMPLE_MS = 50;
/** Memory is compared from the moment when this many requests have ended. */
const FIRST = 100;

/** What many requests at once do to the app while the model is slow. */
export interface Slow {
  readonly requests: number;
  readonly answered: number;
  readonly failed: Answers['failed'];
  /** From the first request to the last answer. */
  readonly seconds: number;
  /** RSS of the process when the first hundred requests have ended. */
  readonly rssAfterFirstMb: number;
  /** Highest RSS from then on. */
  readonly highestRssLaterMb: number;
}

/**
 * Sends all requests at once to an upstream that takes two seconds for each. This happens twice, and the second time is
 * measured: the first time, V8's young generation grows to the size that so many requests need, which is no leak.
 */
export async function measureSlow(upstream: Upstream, { slowRequests }: Plan): Promise<Slow> {
  const running = await RunningSide.start('this project', {
    ...upstream.env(`slow-${UPSTREAM_MS}`),
    TMPDIR: TEMPORARY,
  });
  try {
    const target = running.target(photoOf(bytesOf(IMAGE)));
    const warmUp = await sendAtOnce(target, slowRequests);
    if (warmUp.answered < slowRequests)
      throw new Error(
        `Some slow requests of the warm-up ended with ${Object.keys(warmUp.failed).join(', ')}:\n${running.output}`,
      );
    const samples: { ended: number; rssMb: number }[] = [];
    const progress = { ended: 0 };
    const started = performance.now();
    const sending = sendAtOnce(target, slowRequests, () => progress.ended++);
    while (progress.ended < slowRequests && running.alive) {
      samples.push({ ...progress, rssMb: (await running.rss()) / MEGABYTE });
      await sleep(SAMPLE_MS);
    }
    const { answered, failed } = await sending;
    samples.push({ ...progress, rssMb: (await running.rss()) / MEGABYTE });
    const later = samples.filter((sample) => sample.ended >= Math.min(FIRST, slowRequests));
    return {
      requests: slowRequests,
      answered,
      failed,
      seconds: (performance.now() - started) / 1000,
      rssAfterFirstMb: later[0]?.rssMb ?? NaN,
      highestRssLaterMb: Math.max(...later.map(({ rssMb }) => rssMb)),
    };
  } finally {
    await running.stop();
  }
}
