import { checkImage } from '../../src/image/check.ts';
import { craftedFiles } from '../images/crafted.ts';
import { bytesOf } from './load.ts';
import type { Plan } from './plan.ts';

const ROUNDS = 3;

/** What images are to the event loop that are made to take as many steps as they can. */
export interface Crafted {
  readonly megabytes: number;
  /** The longest block, of the image that blocks longest; the shortest of three rounds, as another process may be in the way of one. */
  readonly longestBlockMs: number;
  readonly slowest: string;
}

/** Checks each of them as a request would, and looks how long the event loop is without a turn. */
export async function measureCrafted({ craftedMb: megabytes }: Plan): Promise<Crafted> {
  let slowest = '';
  let longestBlockMs = 0;
  for (const { name, bytes } of await craftedFiles(bytesOf({ megabytes }))) {
    const blocks: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) blocks.push(await longestBlock(bytes));
    const block = Math.min(...blocks);
    if (block > longestBlockMs) [slowest, longestBlockMs] = [name, block];
  }
  return { megabytes, longestBlockMs, slowest };
}

async function longestBlock(bytes: Buffer): Promise<number> {
  let longest = 0;
  let last = performance.now();
  let isOver = false;
  const turn = (): void => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  await checkImage(bytes).catch(() => undefined); // some of them are damaged
  isOver = true;
  await new Promise((resolve) => void setImmediate(resolve));
  return longest;
}
