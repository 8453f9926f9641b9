import { setTimeout as sleep } from 'node:timers/promises';
import type { Scene } from '../e2e/faults/fault.ts';
import { stopPairs } from '../e2e/faults/pairs.ts';
import { ask } from './ask.ts';
import { callsInEveryWay } from './callers.ts';
import type { Tally } from './tally.ts';

/** How long the model takes to answer. */
const ANSWER_DELAY_MS = 2_000;
/** When the app gets SIGTERM: all requests have arrived, and none is answered yet. */
const SIGTERM_AFTER_MS = 1_000;

/**
 * Stops the app while questions that were sent in every way are in progress. The app must answer them before it ends.
 * After that, `stopPairs` checks that its output contains nothing of the images and instructions.
 */
export async function drain(scene: Scene, tally: Tally): Promise<void> {
  scene.azure.model.fail({ delayMs: ANSWER_DELAY_MS }, Infinity);
  const asking = scene.app.alive() ? callsInEveryWay().map(async (call) => ask(scene, tally, call)) : [];
  await sleep(SIGTERM_AFTER_MS);
  const ending = stopPairs([scene]).catch((error: unknown) => tally.complain(String(error)));
  await Promise.all([ending, ...asking]);
}
