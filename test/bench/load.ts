import { Agent } from 'node:http';
import { MEGABYTE, type Load } from './plan.ts';
import { type Outcome, post, type Target } from './post.ts';

/** No load takes longer than this to be sent, however slow the side. */
const MAX_SECONDS = 60;

/** How long a load goes on. */
export interface Duration {
  readonly seconds: number;
  /** Requests, at least. */
  readonly minRequests: number;
}

/** What became of the requests of a load. */
export interface Answers {
  readonly answered: number;
  /** How those ended that were not answered as they should be, and how many. */
  readonly failed: Readonly<Record<string, number>>;
  readonly perSecond: number;
  /** Milliseconds, in ascending order, of those that were answered. */
  readonly latencies: readonly number[];
}

/** Keeps so many requests under way for a while; waits for the last one. */
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

/** Sends so many requests at once, and each once. */
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

/** The latency below which this share of the requests stayed. */
export function percentile(ascending: readonly number[], share: number): number {
  return ascending[Math.max(0, Math.ceil(ascending.length * share) - 1)] ?? NaN;
}

/** As bytes of an image. */
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

function judge({ result, text }: Outcome, { minBytes }: Target): string {
  return result === '200' && !(Number(/\d{5,}/.exec(text)?.[0]) >= minBytes) ? 'wrong answer' : result;
}
