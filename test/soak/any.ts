import { randomInt } from 'node:crypto';

/** One of several, by chance. */
export function any<T>(of: readonly T[]): T {
  const one = of[randomInt(of.length)];
  if (one === undefined) throw new Error('there is nothing to choose from');
  return one;
}
