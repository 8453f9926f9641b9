import type { Scene } from '../e2e/faults/fault.ts';
import type { Call } from './callers.ts';
import { judge } from './judge.ts';
import type { Tally } from './tally.ts';

/** Makes a call, and has the tally know what came of it and what was wrong with that. */
export async function ask(scene: Scene, tally: Tally, call: Call): Promise<void> {
  const started = performance.now();
  try {
    const outcome = await call.make(scene);
    tally.count(outcome);
    for (const complaint of judge(call, outcome, performance.now() - started)) tally.complain(complaint);
  } catch (error) {
    // What fetch rejects with; all else is an answer that came, and is not as openapi.json says.
    const lost = error instanceof TypeError;
    tally.countAs(lost ? 'lost' : 'not as promised');
    tally.complain(
      `${call.kind}: ${lost ? `lost: ${error.cause instanceof Error ? error.cause.message : error.message}` : String(error)}`,
    );
  }
}
