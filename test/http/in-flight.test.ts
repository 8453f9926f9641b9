import { expect, test } from 'vitest';
import { InFlight } from '../../src/http/in-flight.ts';

test('waits for what is under way, and no longer', async () => {
  const inFlight = new InFlight();
  await inFlight.drained(60_000);
  const [one, two] = [inFlight.begin(), inFlight.begin()];
  let drained = false;
  const waiting = inFlight.drained(60_000).then(() => (drained = true));
  one();
  one();
  await Promise.resolve();
  expect(drained).toBe(false);
  two();
  await waiting;
  expect(drained).toBe(true);
});

test('gives up in the end', async () => {
  const inFlight = new InFlight();
  inFlight.begin();
  await inFlight.drained(10);
});
