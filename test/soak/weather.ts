import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from '../../src/dev/emulator/fault.ts';
import type { Scene } from '../e2e/faults/fault.ts';
import { any } from './any.ts';

const FIRST_OUTAGE_MS = 1_000;
const OUTAGE_EVERY_MS = 20_000;
const OUTAGE_MS = 1_500;

const html = '<h1>Hello</h1>';
const soon = { 'retry-after-ms': '50' };
const modelFaults: readonly Fault[] = [
  { status: 400, body: { error: { code: 'content_filter', message: 'x' } } },
  { status: 400, body: { error: { code: 'invalid_image_format', message: 'x' } } },
  { status: 404 },
  { status: 429, headers: soon },
  { status: 429, headers: { 'retry-after': '30' } },
  { status: 500, headers: soon },
  { status: 503, headers: { 'retry-after': '1' } },
  { status: 200, headers: { 'content-type': 'text/html' }, body: html },
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
  { headers: { 'content-type': 'text/html' }, body: html },
];

/** What goes wrong for everybody; each is undone by {@link mend}. */
const outages: readonly ((scene: Scene) => void)[] = [
  ({ relay }) => relay.spoil('dropped'),
  ({ relay }) => relay.spoil('mute'),
  ({ relay }) => relay.spoil('babble'),
  ({ azure }) => azure.revoke(),
  ({ azure }) => azure.setRole(false),
  ({ app }) => process.kill(app.pid, 'SIGSTOP'),
];

/** Lets things go wrong until the signal: single faults all the time, and now and then an outage. */
export async function makeWeather(scene: Scene, signal: AbortSignal): Promise<void> {
  let outageAt = performance.now() + FIRST_OUTAGE_MS;
  while (!signal.aborted && scene.app.alive()) {
    scene.azure.model.fail(any(modelFaults));
    // It waits for the next fetches of a token: one to renew it in good time does no harm, so there are several.
    if (randomInt(30) === 0) scene.azure.identity.fail(any(identityFaults), 3);
    if (performance.now() > outageAt) {
      any(outages)(scene);
      await sleep(OUTAGE_MS);
      mend(scene);
      outageAt = performance.now() + OUTAGE_EVERY_MS;
    }
    await sleep(randomInt(100, 600));
  }
  mend(scene);
}

function mend({ app, azure, relay }: Scene): void {
  azure.reset();
  relay.mend();
  if (app.alive()) process.kill(app.pid, 'SIGCONT');
}
