import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Scene } from '../e2e/faults/fault.ts';
import { startPairs } from '../e2e/faults/pairs.ts';
import { PROBE } from '../e2e/memory.ts';
import { keepSecret } from '../e2e/secrets.ts';
import { ask } from './ask.ts';
import { anyCall, INSTRUCTIONS, sentImages } from './callers.ts';
import { drain } from './drain.ts';
import { describeTrend, growth, trendOf } from './growth.ts';
import { misloggedIn } from './log.ts';
import { Tally } from './tally.ts';
import { describeVitals, takeVitals, type Vitals } from './vitals.ts';
import { makeWeather } from './weather.ts';

const CALLERS = 8;
const LONGEST_PAUSE_MS = 150;
const VITALS_EVERY_MS = 10_000;
/** Two of the larger images are more than there is room for, so that admission has its say. */
const SETTINGS = {
  REQUEST_TIMEOUT_SECONDS: '5',
  MAX_IMAGE_BYTES: '5000000',
  MAX_BODY_BYTES: '20000000',
  MAX_INFLIGHT_BYTES: '10000000',
};
/** Tokens are fetched many times in a run, and one that could not be renewed is soon of no use. */
const TOKEN_SECONDS = 8;

/** Asks for so many minutes, then has the app drain; what came of it is in the tally, what happens on the way is told. */
export async function run(minutes: number, tell: (line: string) => void): Promise<Tally> {
  const [scene] = await startPairs(
    1,
    { ...PROBE, ...SETTINGS },
    { record: false, tokenSeconds: TOKEN_SECONDS, wordDelayMs: 2 },
  );
  if (!scene) throw new Error('nothing was started');
  const { app } = scene;
  tell(`The app is process ${app.pid}.`);
  for (const image of sentImages) keepSecret('image', image);
  for (const words of INSTRUCTIONS) keepSecret('words', words);

  const tally = new Tally();
  const ended = AbortSignal.timeout(minutes * 60_000);
  const callers = Array.from({ length: CALLERS }, async () => keepAsking(scene, tally, ended));
  const [vitals] = await Promise.all([watch(scene, tally, ended, tell), makeWeather(scene, ended)]);
  if (!app.alive()) tally.complain('The app ended.');
  await Promise.all([drain(scene, tally), ...callers]);

  const trend = trendOf(vitals);
  tell(describeTrend(trend));
  for (const grown of growth(trend)) tally.complain(grown);
  for (const mislogged of misloggedIn(app.output(), tally.answered)) tally.complain(mislogged);
  return tally;
}

async function keepAsking(scene: Scene, tally: Tally, ended: AbortSignal): Promise<void> {
  while (!ended.aborted && scene.app.alive()) {
    await ask(scene, tally, anyCall());
    await sleep(randomInt(LONGEST_PAUSE_MS));
  }
}

async function watch(
  { app }: Scene,
  tally: Tally,
  ended: AbortSignal,
  tell: (line: string) => void,
): Promise<Vitals[]> {
  const all: Vitals[] = [];
  const started = performance.now();
  while (!ended.aborted && app.alive()) {
    await sleep(VITALS_EVERY_MS, undefined, { signal: ended }).catch(() => undefined);
    try {
      const vitals = await takeVitals(app, performance.now() - started);
      all.push(vitals);
      tell(`${describeVitals(vitals)}  requests ${tally.requests}`);
    } catch (error) {
      if (app.alive()) throw error;
    }
  }
  return all;
}
