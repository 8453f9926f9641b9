import { expect, test } from 'vitest';
import { InFlight } from '../../src/http/in-flight.ts';

test('waits until no request is in progress, and no longer', async () => {
  const inFlight = new InFlight();
  await inFlight.drained(60_000);
  const [endFirst, endSecond] = [inFlight.begin(), inFlight.begin()];
  let drained = false;
  const waiting = inFlight.drained(60_000).then(() => (drained = true));
  endFirst();
  endFirst();
  await Promise.resolve();
  expect(drained).toBe(false);
  endSecond();
  await waiting;
  expect(drained).toBe(true);
});

test('stops waiting after the given time', async () => {
  const inFlight = new InFlight();
  inFlight.begin();
  const started = performance.now();
  await inFlight.drained(50);
  // Node's timers may fire up to 1 ms early.
  expect(performance.now() - started).toBeGreaterThanOrEqual(49);
});
