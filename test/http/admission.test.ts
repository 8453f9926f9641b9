import { expect, test } from 'vitest';
import { Admission } from '../../src/http/admission.ts';

const OVERLOADED = expect.objectContaining({ status: 503, code: 'overloaded', headers: { 'retry-after': '1' } });

test('takes requests up to its capacity, and turns the next away', () => {
  const admission = new Admission(100);
  admission.enter().grow(60);
  admission.enter().grow(40);
  expect(() => admission.enter().grow(1)).toThrow(OVERLOADED);
});

test('has room again when one leaves, and one that leaves twice leaves once', () => {
  const admission = new Admission(100);
  const first = admission.enter();
  first.grow(60);
  const second = admission.enter();
  second.grow(40);
  first.leave();
  first.leave();
  admission.enter().grow(60);
  expect(() => admission.enter().grow(1)).toThrow(OVERLOADED);
});

test('counts what arrives unannounced as it comes', () => {
  const admission = new Admission(100);
  admission.enter().grow(50);
  const room = admission.enter();
  room.grow(30);
  expect(() => room.grow(30)).toThrow(OVERLOADED);
});

test('a request that is alone has room, however large', () => {
  const admission = new Admission(100);
  const room = admission.enter();
  room.grow(150);
  room.grow(150);
  expect(() => admission.enter().grow(1)).toThrow(OVERLOADED);
});

test('what is kept is given back when its request leaves, and not before', () => {
  const room = new Admission(11_000).enter();
  const [kept, released] = [Buffer.alloc(6_000), Buffer.alloc(5_000)];
  room.keep([kept, released]);
  room.grow(11_000);
  room.release(released);
  expect([kept.length, released.length]).toEqual([6_000, 0]);
  room.leave();
  expect(kept.length).toBe(0);
});

test('what is released makes room for others', () => {
  const admission = new Admission(100);
  const room = admission.enter();
  room.grow(100);
  room.release(Buffer.alloc(40));
  admission.enter().grow(40);
  expect(() => admission.enter().grow(1)).toThrow(OVERLOADED);
  room.leave();
  admission.enter().grow(60);
});
