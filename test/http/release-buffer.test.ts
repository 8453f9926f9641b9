import { expect, test } from 'vitest';
import { releaseBuffer } from '../../src/http/release-buffer.ts';
import { takeMemory } from '../../src/http/spare-memory.ts';

test('frees the memory of a buffer, and does nothing for a buffer that is already free', () => {
  const bytes = Buffer.alloc(4_096);
  releaseBuffer(bytes);
  releaseBuffer(bytes);
  expect(bytes.length).toBe(0);
});

test('does not free a buffer that shares its memory with others', () => {
  const whole = Buffer.alloc(10_000, 'x');
  const half = whole.subarray(0, 5_000);
  releaseBuffer(half);
  expect([half.length, whole.length]).toEqual([5_000, 10_000]);
});

test('does not free a small buffer, because it may belong to a parser', () => {
  const lookbehind = Buffer.alloc(73);
  releaseBuffer(lookbehind);
  expect(lookbehind.length).toBe(73);
});

test('keeps the memory of a body, and reuses it for the next one', () => {
  const body = takeMemory(1_000_000).fill(7);
  releaseBuffer(body);
  expect(body.length).toBe(0);
  expect(takeMemory(1_000_001)[0]).toBe(7);
});
