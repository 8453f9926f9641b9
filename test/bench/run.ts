import { buildSides, removeSides } from './build-sides.ts';
import { type Burst, measureBurst } from './burst.ts';
import { type ColdStart, measureColdStarts } from './cold-start.ts';
import { type Crafted, measureCrafted } from './crafted.ts';
import { describeMachine, type Machine } from './machine.ts';
import { measureLoads } from './matrix.ts';
import type { Cell, Skipped } from './rounds.ts';
import { measureOpenAi, type OpenAiCost } from './open-ai.ts';
import { measurePictures, measureUntouched, type Picture, type Untouched } from './pictures.ts';
import type { Plan } from './plan.ts';
import { measureServed, type Served } from './served.ts';
import { measureSlow, type Slow } from './slow.ts';
import { Upstream } from './upstream.ts';

/** The results of one run. */
export interface Results {
  readonly plan: Plan['name'];
  readonly machine: Machine;
  readonly minutes: number;
  readonly cells: readonly Cell[];
  readonly skipped: readonly Skipped[];
  readonly coldStarts: readonly ColdStart[];
  readonly slow: Slow;
  readonly burst: Burst;
  readonly crafted: Crafted;
  readonly openAi: readonly OpenAiCost[];
  readonly served: Served;
  readonly pictures: readonly Picture[];
  readonly untouched: readonly Untouched[];
}

/** Runs all measurements, and logs the progress. */
export async function run(plan: Plan, log: (line: string) => void): Promise<Results> {
  const started = performance.now();
  const machine = describeMachine();
  await buildSides();
  const upstream = await Upstream.start();
  try {
    const { cells, skipped } = await measureLoads(upstream, plan, (cell) => log(progress(cell)));
    log('cold starts');
    const coldStarts = await measureColdStarts(upstream, plan);
    log(`${plan.slowRequests} slow requests at once`);
    const slow = await measureSlow(upstream, plan);
    log(`a burst of ${plan.burst.concurrency}`);
    const burst = await measureBurst(upstream, plan);
    log("OpenAI's two formats");
    const openAi = await measureOpenAi(upstream, plan);
    log('the server, npm start, the floor and a gateway');
    const served = await measureServed(upstream, plan);
    log('phone pictures');
    const pictures = await measurePictures(upstream, plan);
    const untouched = await measureUntouched(plan);
    log('crafted images and JSON');
    const crafted = await measureCrafted(plan);
    return {
      plan: plan.name,
      machine,
      minutes: (performance.now() - started) / 60_000,
      cells,
      skipped,
      coldStarts,
      slow,
      burst,
      crafted,
      openAi,
      served,
      pictures,
      untouched,
    };
  } finally {
    await upstream.stop();
    await removeSides();
  }
}

function progress(cell: Cell | Skipped): string {
  const load = `${cell.megabytes} MB, ${cell.concurrency} at once, ${cell.side}`;
  if ('reason' in cell) return `${load}: left out, ${cell.reason}`;
  const failed = Object.entries(cell.failed).map(([result, count]) => `, ${count} x ${result}`);
  return `${load}: ${cell.perSecond.toFixed(1)} requests/s${failed.join('')}`;
}
