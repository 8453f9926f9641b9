import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Deadline } from '../../src/http/deadline.ts';
import { type Entry, Pauses, Places } from '../../src/jobs/places.ts';

const race = async <T>(work: Promise<T>): Promise<T> => work;
const LONG_DEADLINE = { race, remaining: () => 60_000 };
/** With no time left, `enter` waits for no pause. */
const NO_TIME_LEFT = { race, remaining: () => 0 };

function leave(entry: Entry): void {
  if (!('leave' in entry)) throw new Error(`expected a place, but there is a pause of ${entry.pausedFor} s`);
  entry.leave();
}

function secondsOf(entry: Entry): number {
  if ('leave' in entry) throw new Error('expected a pause, but there is a place');
  return entry.pausedFor;
}

test('never has more entries at once than places, and lets everyone in eventually', async () => {
  const places = new Places(2, new Pauses());
  let [inside, most, done] = [0, 0, 0];
  await Promise.all(
    Array.from({ length: 9 }, async () => {
      const entry = await places.enter('flex', LONG_DEADLINE);
      inside += 1;
      most = Math.max(most, inside);
      await sleep(1);
      inside -= 1;
      done += 1;
      leave(entry);
    }),
  );
  expect([most, done]).toEqual([2, 9]);
});

test('throws overloaded if no place is free before the deadline, and takes no place then', async () => {
  const places = new Places(1, new Pauses());
  const first = await places.enter('flex', LONG_DEADLINE);
  const deadline = new Deadline(20);
  await expect(places.enter('flex', deadline)).rejects.toMatchObject({ code: 'overloaded' });
  deadline.clear();
  leave(first);
  leave(await places.enter('flex', LONG_DEADLINE));
});

test('during a long pause, returns the seconds that are left, which does not extend the pause', async () => {
  const pauses = new Pauses();
  const places = new Places(1, pauses);
  pauses.pause('flex', 60);
  let before = 60;
  for (let at = 0; at < 5; at += 1) {
    const left = secondsOf(await places.enter('flex', LONG_DEADLINE));
    expect(left).toBeLessThanOrEqual(before);
    before = left;
    await sleep(2);
  }
  expect(before).toBeLessThan(60);
  expect(before).toBeGreaterThan(30);
});

test('waits for the end of a short pause if there is time', async () => {
  const pauses = new Pauses();
  const places = new Places(1, pauses);
  pauses.pause('flex', 0.1);
  expect(secondsOf(await places.enter('flex', NO_TIME_LEFT))).toBeLessThanOrEqual(0.1);
  leave(await places.enter('flex', LONG_DEADLINE));
  leave(await places.enter('flex', NO_TIME_LEFT));
});

test('a pause at one price does not affect the other price', async () => {
  const pauses = new Pauses();
  const places = new Places(1, pauses);
  pauses.pause('flex', 60);
  leave(await places.enter('standard', LONG_DEADLINE));
});

test('if a pause begins while a message waits for a place, a message at another price gets the place', async () => {
  const pauses = new Pauses();
  const places = new Places(1, pauses);
  const first = await places.enter('flex', LONG_DEADLINE);
  const [held, other] = [places.enter('flex', LONG_DEADLINE), places.enter('standard', LONG_DEADLINE)];
  pauses.pause('flex', 60);
  leave(first);
  expect(secondsOf(await held)).toBeGreaterThan(30);
  leave(await other);
});

test('returns the rest of a pause that became too long while a message waited for its end', async () => {
  const pauses = new Pauses();
  const places = new Places(1, pauses);
  pauses.pause('flex', 0.05);
  const waiting = places.enter('flex', LONG_DEADLINE);
  pauses.pause('flex', 60);
  expect(secondsOf(await waiting)).toBeGreaterThan(30);
});

test('an answer to a request from before a pause does not end the pause', async () => {
  const pauses = new Pauses();
  const places = new Places(1, pauses);
  pauses.pause('flex', 60);
  pauses.succeed('flex');
  expect(secondsOf(await places.enter('flex', LONG_DEADLINE))).toBeGreaterThan(30);
});

test('without a Retry-After, each pause in a row is twice as long, until there is an answer', async () => {
  const pauses = new Pauses();
  const places = new Places(1, pauses);
  const pauseBriefly = async (): Promise<void> => {
    pauses.pause('flex', 0.01);
    await sleep(15);
  };
  await pauseBriefly();
  await pauseBriefly();
  const pausesReset = new Pauses();
  const placesReset = new Places(1, pausesReset);
  pauses.pause('flex', undefined);
  // Requests that were in progress are refused, too. They do not count as a further pause.
  pauses.pause('flex', undefined);
  expect(Math.round(secondsOf(await places.enter('flex', NO_TIME_LEFT)))).toBe(20);
  pausesReset.pause('flex', 0.01);
  await sleep(15);
  pausesReset.succeed('flex');
  pausesReset.pause('flex', undefined);
  expect(Math.round(secondsOf(await placesReset.enter('flex', NO_TIME_LEFT)))).toBe(5);
});
