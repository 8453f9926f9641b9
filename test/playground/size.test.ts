import { expect, test } from 'vitest';
import { sizeInWords } from '../../src/playground/figures.ts';

test.each([
  [0, '0 bytes'],
  [1, '1 byte'],
  [1023, '1023 bytes'],
  [20_138, '20 KB'],
  [1_023_000, '999 KB'],
  [1_048_575, '1 MB'],
  [3_565_158, '3.4 MB'],
  [20_971_520, '20 MB'],
])('writes %d bytes as "%s"', (bytes, words) => {
  expect(sizeInWords(bytes)).toBe(words);
});
