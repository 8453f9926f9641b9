import { expect, test } from 'vitest';
import { whyNot } from './matrix.ts';
import { full, quick } from './plan.ts';

const many = { megabytes: 20, concurrency: 32 };

test('the two ways of today are left out of the short run where they take longest, the others never', () => {
  expect(whyNot('tutorial', many, quick)).toBe('it would take too long');
  expect(whyNot('shared client', many, quick)).toBe('it would take too long');
  expect(whyNot('tutorial', { megabytes: 20, concurrency: 1 }, quick)).toBeUndefined();
  expect(whyNot('this project', many, quick)).toBeUndefined();
  expect(whyNot('floor', many, quick)).toBeUndefined();
});

test('and of any where the machine has not the memory', () => {
  const most = { megabytes: 20, concurrency: process.availableMemory() };
  expect(whyNot('tutorial', most, full)).toBe('it would need more memory than is free');
  expect(whyNot('this project', most, full)).toBeUndefined();
});
