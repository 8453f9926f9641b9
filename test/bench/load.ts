import { Agent } from 'node:http';
import { MEGABYTE, type Load } from './plan.ts';
import { type Outcome, post, type Target } from './post.ts';

/** After this time a load sends no more requests, even if the side has not had {@link Duration.minRequests} yet. */
const MAX_SECONDS = 60;

/** How long a load sends requests: until the time is over and the minimum is reached. */
export interface Duration {
  readonly seconds: number;
  readonly minRequests: number;
}

/** The results of the requests of a load. */
export interface Answers {
  /** Requests with status 200 and the expected answer. */
  readonly answered: number;
  /** Number of the other requests by their result. */
  readonly failed: Readonly<Record<string, number>>;
  /** Answered requests per second. */
  readonly perSecond: number;
  /** Latencies of the answered requests in milliseconds, in ascending order. */
  readonly latencies: readonly number[];
}

/** Sends requests for a while, always this many at the same time. Waits for the last answer. */
export async function runLoad(
  target: Target,
  concurrency: Load['concurrency'],
  { seconds, minRequests }: Duration,
): Promise<Answers> {
  const agent = new Agent({ keepAlive: true });
  const outcomes: Outcome[] = [];
  const started = performance.now();
  let sent = 0;
  const shouldSend = (): boolean => {
    const elapsed = (performance.now() - started) / 1000;
    return elapsed < MAX_SECONDS && (sent < minRequests || elapsed < seconds);
  };
  const caller = async (): Promise<void> => {
    while (shouldSend()) {
      sent++;
      outcomes.push(await post(target, agent));
    }
  };
  await Promise.all(Array.from({ length: concurrency }, caller));
  agent.destroy();
  return summary(outcomes, target, (performance.now() - started) / 1000);
}

/** Sends this number of requests at the same time, each one once. */
export async function sendAtOnce(
  target: Target,
  count: number,
  onEnd: (outcome: Outcome) => void = () => {},
): Promise<Answers> {
  const agent = new Agent({ keepAlive: true });
  const started = performance.now();
  const outcomes = await Promise.all(
    Array.from({ length: count }, async () => {
      const outcome = await post(target, agent);
      onEnd(outcome);
      return outcome;
    }),
  );
  agent.destroy();
  return summary(outcomes, target, (performance.now() - started) / 1000);
}

/** The value that this share of the values do not exceed. */
export function percentile(ascending: readonly number[], share: number): number {
  return ascending[Math.max(0, Math.ceil(ascending.length * share) - 1)] ?? NaN;
}

/** The size of a load's image in bytes. */
export function bytesOf({ megabytes }: Pick<Load, 'megabytes'>): number {
  return Math.round(megabytes * MEGABYTE);
}

function summary(outcomes: readonly Outcome[], target: Target, seconds: number): Answers {
  const failed: Record<string, number> = {};
  const latencies: number[] = [];
  for (const outcome of outcomes) {
    const result = judge(outcome, target);
    if (result === '200') latencies.push(outcome.milliseconds);
    else failed[result] = (failed[result] ?? 0) + 1;
  }
  return {
    answered: latencies.length,
    failed,
    perSecond: latencies.length / seconds,
    latencies: latencies.toSorted((a, b) => a - b),
  };
}

/**
 * Returns the result, or `wrong answer` if the upstream did not get the whole image. The answer contains the size of
 * the body that the upstream got: the first number of five or more digits, because other numbers in JSON are shorter.
 */
function judge({ result, text }: Outcome, { minBytes }: Target): string {
  return result === '200' && !(Number(/\d{5,}/.exec(text)?.[0]) >= minBytes) ? 'wrong answer' : result;
}
