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
