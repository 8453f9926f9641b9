import { expect, test } from 'vitest';
import { free } from '../src/free.ts';

test('gives the memory of a buffer back, once', () => {
  const bytes = Buffer.alloc(1_000);
  free(bytes);
  free(bytes);
  expect(bytes.length).toBe(0);
});

test('leaves alone what shares its memory with others', () => {
  const whole = Buffer.from('two halves');
  const half = whole.subarray(0, 3);
  free(half);
  expect([half.toString(), whole.toString()]).toEqual(['two', 'two halves']);
});
