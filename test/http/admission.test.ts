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
  const reservation = admission.enter();
  reservation.grow(30);
  expect(() => reservation.grow(30)).toThrow(OVERLOADED);
});

test('a request that is alone has room, however large', () => {
  const admission = new Admission(100);
  const reservation = admission.enter();
  reservation.grow(150);
  reservation.grow(150);
  expect(() => admission.enter().grow(1)).toThrow(OVERLOADED);
});

test('what is kept is given back when its request leaves, and not before', () => {
  const reservation = new Admission(11_000).enter();
  const [kept, released] = [Buffer.alloc(6_000), Buffer.alloc(5_000)];
  reservation.keep([kept, released]);
  reservation.grow(11_000);
  reservation.release(released);
  expect([kept.length, released.length]).toEqual([6_000, 0]);
  reservation.leave();
  expect(kept.length).toBe(0);
});

test('what is released makes room for others', () => {
  const admission = new Admission(100);
  const reservation = admission.enter();
  reservation.grow(100);
  reservation.release(Buffer.alloc(40));
  admission.enter().grow(40);
  expect(() => admission.enter().grow(1)).toThrow(OVERLOADED);
  reservation.leave();
  admission.enter().grow(60);
});
