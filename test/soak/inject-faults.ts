import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from '../../src/dev/emulator/fault.ts';
import type { Scene } from '../e2e/faults/fault.ts';
import { randomItem } from './random-item.ts';

const FIRST_OUTAGE_MS = 1_000;
const OUTAGE_EVERY_MS = 20_000;
const OUTAGE_MS = 1_500;

const notJson = '<h1>Hello</h1>';
const retrySoon = { 'retry-after-ms': '50' };
const modelFaults: readonly Fault[] = [
  { status: 400, body: { error: { code: 'content_filter', message: 'x' } } },
  { status: 400, body: { error: { code: 'invalid_image_format', message: 'x' } } },
  { status: 404 },
  { status: 429, headers: retrySoon },
  { status: 429, headers: { 'retry-after': '30' } },
  { status: 500, headers: retrySoon },
  { status: 503, headers: { 'retry-after': '1' } },
  { status: 200, headers: { 'content-type': 'text/html' }, body: notJson },
  { status: 200, headers: { 'content-type': 'application/json' }, body: '' },
  { breakOff: 'before-headers' },
  { breakOff: 'mid-body' },
  { silent: true },
  { delayMs: 1_500 },
  { wordDelayMs: 400 },
];
const identityFaults: readonly Fault[] = [
  { status: 500 },
  { status: 400 },
  { breakOff: 'before-headers' },
  { delayMs: 2_000 },
  { headers: { 'content-type': 'text/html' }, body: notJson },
];

/** Faults that affect all requests. {@link endFaults} ends them. */
const outages: readonly ((scene: Scene) => void)[] = [
  ({ relay }) => relay.spoil('dropped'),
  ({ relay }) => relay.spoil('mute'),
  ({ relay }) => relay.spoil('babble'),
  ({ azure }) => azure.revoke(),
  ({ azure }) => azure.setRole(false),
  ({ app }) => process.kill(app.pid, 'SIGSTOP'),
];

/** Injects faults until the signal: faults of single requests all the time, and an outage now and then. */
export async function injectFaults(scene: Scene, signal: AbortSignal): Promise<void> {
  let outageAt = performance.now() + FIRST_OUTAGE_MS;
  while (!signal.aborted && scene.app.alive()) {
    scene.azure.model.fail(randomItem(modelFaults));
    // The fault affects the next fetches of a token. One failed renewal does no harm yet, so several of them fail.
    if (randomInt(30) === 0) scene.azure.identity.fail(randomItem(identityFaults), 3);
    if (performance.now() > outageAt) {
      randomItem(outages)(scene);
      await sleep(OUTAGE_MS);
      endFaults(scene);
      outageAt = performance.now() + OUTAGE_EVERY_MS;
    }
    await sleep(randomInt(100, 600));
  }
  endFaults(scene);
}

function endFaults({ app, azure, relay }: Scene): void {
  azure.reset();
  relay.mend();
  if (app.alive()) process.kill(app.pid, 'SIGCONT');
}
