import type { Scene } from '../e2e/faults/fault.ts';
import type { Call } from './callers.ts';
import { judge } from './judge.ts';
import type { Tally } from './tally.ts';

/** Makes a call, and adds its outcome and everything that is wrong with it to the tally. */
export async function ask(scene: Scene, tally: Tally, call: Call): Promise<void> {
  const started = performance.now();
  try {
    const outcome = await call.make(scene);
    tally.count(outcome);
    for (const complaint of judge(call, outcome, performance.now() - started)) tally.complain(complaint);
  } catch (error) {
    // `fetch` rejects with a TypeError. Any other error means that the answer does not match openapi.json.
    const lost = error instanceof TypeError;
    tally.countAs(lost ? 'lost' : 'invalid answer');
    tally.complain(
      `${call.kind}: ${lost ? `lost: ${error.cause instanceof Error ? error.cause.message : error.message}` : String(error)}`,
    );
  }
}
