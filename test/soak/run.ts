import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Scene } from '../e2e/faults/fault.ts';
import { startPairs } from '../e2e/faults/pairs.ts';
import { PROBE } from '../e2e/memory.ts';
import { keepSecret } from '../e2e/secrets.ts';
import { ask } from './ask.ts';
import { INSTRUCTIONS, randomCall, sentImages } from './callers.ts';
import { drain } from './drain.ts';
import { describeTrend, growth, trendOf } from './growth.ts';
import { injectFaults } from './inject-faults.ts';
import { logFaults } from './log.ts';
import { Tally } from './tally.ts';
import { describeVitals, takeVitals, type Vitals } from './vitals.ts';

const CALLERS = 8;
const LONGEST_PAUSE_MS = 150;
const VITALS_EVERY_MS = 10_000;
/** MAX_INFLIGHT_BYTES is so small that two of the large images may exceed it. Then the app rejects a request. */
const SETTINGS = {
  REQUEST_TIMEOUT_SECONDS: '5',
  MAX_IMAGE_BYTES: '5000000',
  MAX_BODY_BYTES: '20000000',
  MAX_INFLIGHT_BYTES: '10000000',
};
/** Short, so that the app fetches many tokens in a run, and feels it soon if a token cannot be renewed. */
const TOKEN_SECONDS = 8;

/**
 * Sends requests for this many minutes, then stops the app.
 * @param print - gets the process id, the vitals from time to time, and their trend
 * @returns the outcomes of all requests, and everything that was wrong
 */
export async function run(minutes: number, print: (line: string) => void): Promise<Tally> {
  const [scene] = await startPairs(
    1,
    { ...PROBE, ...SETTINGS },
    { record: false, tokenSeconds: TOKEN_SECONDS, wordDelayMs: 2 },
  );
  if (!scene) throw new Error('the app was not started');
  const { app } = scene;
  print(`The app is process ${app.pid}.`);
  for (const image of sentImages) keepSecret('image', image);
  for (const words of INSTRUCTIONS) keepSecret('words', words);

  const tally = new Tally();
  const ended = AbortSignal.timeout(minutes * 60_000);
  const callers = Array.from({ length: CALLERS }, async () => keepAsking(scene, tally, ended));
  const [vitals] = await Promise.all([watchVitals(scene, tally, ended, print), injectFaults(scene, ended)]);
  if (!app.alive()) tally.complain('The app ended.');
  await Promise.all([drain(scene, tally), ...callers]);

  const trend = trendOf(vitals);
  print(describeTrend(trend));
  for (const grown of growth(trend)) tally.complain(grown);
  for (const fault of logFaults(app.output(), tally.answered)) tally.complain(fault);
  return tally;
}

async function keepAsking(scene: Scene, tally: Tally, ended: AbortSignal): Promise<void> {
  while (!ended.aborted && scene.app.alive()) {
    await ask(scene, tally, randomCall());
    await sleep(randomInt(LONGEST_PAUSE_MS));
  }
}

/** Takes the app's vitals from time to time, until the signal or the end of the app. */
async function watchVitals(
  { app }: Scene,
  tally: Tally,
  ended: AbortSignal,
  print: (line: string) => void,
): Promise<Vitals[]> {
  const all: Vitals[] = [];
  const started = performance.now();
  while (!ended.aborted && app.alive()) {
    await sleep(VITALS_EVERY_MS, undefined, { signal: ended }).catch(() => undefined);
    try {
      const vitals = await takeVitals(app, performance.now() - started);
      all.push(vitals);
      print(`${describeVitals(vitals)}  requests ${tally.requests}`);
    } catch (error) {
      if (app.alive()) throw error;
    }
  }
  return all;
}
