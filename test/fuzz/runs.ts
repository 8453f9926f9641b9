import type { Parameters } from 'fast-check';
import { FULL } from '../tier.ts';

/** How many inputs a front door is given: the nightly run asks for many more, by FUZZ_INPUTS. */
export const INPUTS = Number(process.env['FUZZ_INPUTS'] ?? (FULL ? 2_000 : 400));

/** The same on every run, so that what was green stays green; the nightly run asks for another each time, by FUZZ_SEED. */
const seed = Number(process.env['FUZZ_SEED'] ?? 20_261_121);

/** How often a property is tried, as `fast-check` takes it. The seed is printed, so that a failure can be had again. */
export function runs(numRuns: number): Parameters<unknown> {
  process.stdout.write(`fuzzing with FUZZ_SEED=${seed}, ${numRuns} runs\n`);
  return { seed, numRuns, endOnFailure: true };
}
