import { expect, test } from 'vitest';
import { checkImage } from '../../src/image/check.ts';
import { Problem } from '../../src/http/problem.ts';
import { DEFAULT_LIMITS } from '../../src/config/limits.ts';
import { craftedFiles } from '../images/crafted.ts';

// Loading it takes its time once, and is not what this measures.
await import('file-type');

/** No image may hold the event loop for longer. The test compares CPU time of the thread, which other processes do not add to. */
const LIMIT_MS = 15;

test.each(await craftedFiles(DEFAULT_LIMITS.maxImageBytes))(
  'gives the event loop its turns: $name',
  async ({ bytes }) => {
    expect(await longestTurn(async () => checkImage(bytes))).toBeLessThan(LIMIT_MS);
  },
);

test('gives the event loop its turns: many crafted images in many requests at once', async () => {
  const small = (await craftedFiles(400_000)).map(({ bytes }) => bytes);
  const requests = Array.from({ length: 8 }, () => small);
  const checkAll = async () => Promise.all(requests.flatMap((images) => images.map(outcome)));
  expect(await longestTurn(checkAll)).toBeLessThan(LIMIT_MS);
});

async function outcome(bytes: Buffer): Promise<void> {
  await checkImage(bytes).catch((error: unknown) => {
    if (!(error instanceof Problem)) throw error;
  });
}

/** The longest turn of three rounds at most: a garbage collection may fall into any of them, and is not what this measures. */
async function longestTurn(work: () => Promise<unknown>): Promise<number> {
  let least = Infinity;
  for (let round = 0; round < 3 && least >= LIMIT_MS; round += 1) least = Math.min(least, await longestOnce(work));
  return least;
}

/** The most CPU time of this thread between two turns of the event loop, in milliseconds. */
async function longestOnce(work: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let last = process.threadCpuUsage();
  let isOver = false;
  const turn = (): void => {
    const { user, system } = process.threadCpuUsage(last);
    longest = Math.max(longest, (user + system) / 1000);
    last = process.threadCpuUsage();
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  await work().catch((error: unknown) => {
    if (!(error instanceof Problem)) throw error;
  });
  isOver = true;
  await new Promise((resolve) => void setImmediate(resolve));
  return longest;
}
