import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Deadline } from '../../src/http/deadline.ts';
import { type Entry, Pauses, Places } from '../../src/jobs/places.ts';

const race = async <T>(work: Promise<T>): Promise<T> => work;
const LONG = { race, remaining: () => 60_000 };
/** With no time left, every pause is too long to wait for. */
const NOW = { race, remaining: () => 0 };

function leave(entry: Entry): void {
  if (!('leave' in entry)) throw new Error(`paused for ${entry.pausedFor} s`);
  entry.leave();
}

function secondsOf(entry: Entry): number {
  if ('leave' in entry) throw new Error('there is no pause');
  return entry.pausedFor;
}

test('no more enter at once than there are places, and each gets one in the end', async () => {
  const places = new Places(2, new Pauses());
  let [inside, most, done] = [0, 0, 0];
  await Promise.all(
    Array.from({ length: 9 }, async () => {
      const entry = await places.enter('flex', LONG);
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

test('a message that finds no place before its deadline is overloaded, and keeps none', async () => {
  const places = new Places(1, new Pauses());
  const first = await places.enter('flex', LONG);
  const deadline = new Deadline(20);
  await expect(places.enter('flex', deadline)).rejects.toMatchObject({ code: 'overloaded' });
  deadline.clear();
  leave(first);
  leave(await places.enter('flex', LONG));
});

test('a long pause turns messages away with what is left of it, and turning them away does not make it longer', async () => {
  const pauses = new Pauses();
  const places = new Places(1, pauses);
  pauses.pause('flex', 60);
  let before = 60;
  for (let at = 0; at < 5; at += 1) {
    const left = secondsOf(await places.enter('flex', LONG));
    expect(left).toBeLessThanOrEqual(before);
    before = left;
    await sleep(2);
  }
  expect(before).toBeLessThan(60);
  expect(before).toBeGreaterThan(30);
});

test('a short pause is waited for in place', async () => {
  const pauses = new Pauses();
  const places = new Places(1, pauses);
  pauses.pause('flex', 0.1);
  expect(secondsOf(await places.enter('flex', NOW))).toBeLessThanOrEqual(0.1);
  leave(await places.enter('flex', LONG));
  leave(await places.enter('flex', NOW));
});

test('a pause at one price is none at the other', async () => {
  const pauses = new Pauses();
  const places = new Places(1, pauses);
  pauses.pause('flex', 60);
  leave(await places.enter('standard', LONG));
});

test('a pause that begins while a message waits for a place holds it back, and gives the place to another', async () => {
  const pauses = new Pauses();
  const places = new Places(1, pauses);
  const first = await places.enter('flex', LONG);
  const [held, other] = [places.enter('flex', LONG), places.enter('standard', LONG)];
  pauses.pause('flex', 60);
  leave(first);
  expect(secondsOf(await held)).toBeGreaterThan(30);
  leave(await other);
});

test('a pause that is made longer while it is waited for is waited for to its end', async () => {
  const pauses = new Pauses();
  const places = new Places(1, pauses);
  pauses.pause('flex', 0.05);
  const waiting = places.enter('flex', LONG);
  pauses.pause('flex', 60);
  expect(secondsOf(await waiting)).toBeGreaterThan(30);
});

test('an answer that was under way before a pause does not end it', async () => {
  const pauses = new Pauses();
  const places = new Places(1, pauses);
  pauses.pause('flex', 60);
  pauses.succeed('flex');
  expect(secondsOf(await places.enter('flex', LONG))).toBeGreaterThan(30);
});

test('pauses of its own are twice as long with each in a row, until an answer', async () => {
  const pauses = new Pauses();
  const places = new Places(1, pauses);
  const briefly = async (): Promise<void> => {
    pauses.pause('flex', 0.01);
    await sleep(15);
  };
  await briefly();
  await briefly();
  const ended = new Pauses();
  const third = new Places(1, ended);
  pauses.pause('flex', undefined);
  // What was under way is refused as well, which is not a pause in a row.
  pauses.pause('flex', undefined);
  expect(Math.round(secondsOf(await places.enter('flex', NOW)))).toBe(20);
  ended.pause('flex', 0.01);
  await sleep(15);
  ended.succeed('flex');
  ended.pause('flex', undefined);
  expect(Math.round(secondsOf(await third.enter('flex', NOW)))).toBe(5);
});
