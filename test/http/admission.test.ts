import { expect, test } from 'vitest';
import { Admission } from '../../src/http/admission.ts';

const OVERLOADED = expect.objectContaining({ status: 503, code: 'overloaded', headers: { 'retry-after': '1' } });

test('accepts requests up to its capacity, and rejects the next one with 503', () => {
  const admission = new Admission(100);
  admission.enter().grow(60);
  admission.enter().grow(40);
  expect(() => admission.enter().grow(1)).toThrow(OVERLOADED);
});

test('accepts requests again after one ends, and counts its end only once', () => {
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

test('rejects a request that grows beyond the capacity after it was accepted', () => {
  const admission = new Admission(100);
  admission.enter().grow(50);
  const reservation = admission.enter();
  reservation.grow(30);
  expect(() => reservation.grow(30)).toThrow(OVERLOADED);
});

test('never rejects a request that is alone, however large it is', () => {
  const admission = new Admission(100);
  const reservation = admission.enter();
  reservation.grow(150);
  reservation.grow(150);
  expect(() => admission.enter().grow(1)).toThrow(OVERLOADED);
});

test('frees a kept buffer when its request ends, and a released one at once', () => {
  const reservation = new Admission(11_000).enter();
  const [kept, released] = [Buffer.alloc(6_000), Buffer.alloc(5_000)];
  reservation.keep([kept, released]);
  reservation.grow(11_000);
  reservation.release(released);
  expect([kept.length, released.length]).toEqual([6_000, 0]);
  reservation.leave();
  expect(kept.length).toBe(0);
});

test('no longer counts the bytes of a released buffer', () => {
  const admission = new Admission(100);
  const reservation = admission.enter();
  reservation.grow(100);
  reservation.release(Buffer.alloc(40));
  admission.enter().grow(40);
  expect(() => admission.enter().grow(1)).toThrow(OVERLOADED);
  reservation.leave();
  admission.enter().grow(60);
});
