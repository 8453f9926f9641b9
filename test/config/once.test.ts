import { expect, test } from 'vitest';
import { once } from '../../src/config/once.ts';

test('what was made is made once, also for those who ask meanwhile', async () => {
  let made = 0;
  const get = once(async () => (made += 1));
  expect(await Promise.all([get(), get()])).toEqual([1, 1]);
  expect(await get()).toBe(1);
});

test('what failed is made again', async () => {
  let tries = 0;
  const get = once(async () => {
    tries += 1;
    if (tries === 1) throw new Error('too many open files');
    return tries;
  });
  await expect(get()).rejects.toThrow('too many open files');
  expect([await get(), await get()]).toEqual([2, 2]);
});
