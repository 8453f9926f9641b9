import { randomInt } from 'node:crypto';

/**
 * Returns a random item of a list.
 * @throws {RangeError} if the list is empty
 */
export function randomItem<T>(list: readonly T[]): T {
  const item = list[randomInt(list.length)];
  if (item === undefined) throw new Error('the list has a hole');
  return item;
}
