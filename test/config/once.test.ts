import { expect, test } from 'vitest';
import { once } from '../../src/config/once.ts';

test('calls the function once, even for calls before it has resolved', async () => {
  let calls = 0;
  const get = once(async () => (calls += 1));
  expect(await Promise.all([get(), get()])).toEqual([1, 1]);
  expect(await get()).toBe(1);
});

test('calls the function again if it failed', async () => {
  let calls = 0;
  const get = once(async () => {
    calls += 1;
    if (calls === 1) throw new Error('too many open files');
    return calls;
  });
  await expect(get()).rejects.toThrow('too many open files');
  expect([await get(), await get()]).toEqual([2, 2]);
});
