import { setTimeout as sleep } from 'node:timers/promises';
import type { Scene } from '../e2e/faults/fault.ts';
import { stopPairs } from '../e2e/faults/pairs.ts';
import { ask } from './ask.ts';
import { callsInEveryWay } from './callers.ts';
import type { Tally } from './tally.ts';

/** What is under way when the app is told to end takes about so long in all, and is all there after so long. */
const THINKING_MS = 2_000;
const TOLD_AFTER_MS = 1_000;

/**
 * Tells the app to end while it is asked in every way, and by whoever is still there: all of that is answered first.
 * When it has ended, what it printed is held against all that it was shown.
 */
export async function drain(scene: Scene, tally: Tally): Promise<void> {
  scene.azure.model.fail({ delayMs: THINKING_MS }, Infinity);
  const asking = scene.app.alive() ? callsInEveryWay().map(async (call) => ask(scene, tally, call)) : [];
  await sleep(TOLD_AFTER_MS);
  const ending = stopPairs([scene]).catch((error: unknown) => tally.complain(String(error)));
  await Promise.all([ending, ...asking]);
}
