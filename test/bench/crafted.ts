import { DEFAULT_LIMITS } from '../../src/config/limits.ts';
import { checkImage } from '../../src/image/check.ts';
import { readJsonForm } from '../../src/request/json-form.ts';
import { LargeJson } from '../../src/request/large-json.ts';
import { craftedFiles } from '../images/crafted.ts';
import { bytesOf } from './load.ts';
import type { Plan } from './plan.ts';

const ROUNDS = 3;

/** Size of a JSON body, as a multiple of an image's. For images of 20 MB it is 98 MB; the limit is 100 MB. */
const BODY_PER_IMAGE = 4.9;
/** What an image in JSON is made of. Each text is repeated, and is slow to read for another reason. */
const JSON_UNITS = { base64: 'AAAA', 'spaces in base64': 'A ', 'escaped quotes': '\\"', 'escaped letters': '\\u0041' };

/** How long the event loop is blocked by images and JSON that need as many steps to read as their size allows. */
export interface Crafted {
  /** Size of each image. JSON is larger. */
  readonly megabytes: number;
  /** The longest block of all. */
  readonly longestBlockMs: number;
  /** Name of the image or JSON that caused it. */
  readonly slowest: string;
}

/** Reads each image and JSON as a request would, and measures how long other code has to wait for its turn. */
export async function measureCrafted({ craftedMb: megabytes }: Plan): Promise<Crafted> {
  const size = bytesOf({ megabytes });
  const blocks: { name: string; ms: number }[] = [];
  for (const { name, bytes } of await craftedFiles(size))
    blocks.push({ name, ms: await longestBlock(async () => checkImage(bytes)) });
  for (const [name, unit] of Object.entries(JSON_UNITS)) {
    const body = Buffer.from(`{"images":["${unit.repeat((size * BODY_PER_IMAGE) / unit.length)}"]}`);
    const limits = { ...DEFAULT_LIMITS, imageContainers: [] };
    const read = async (): Promise<unknown> => readJsonForm(await LargeJson.read(body), limits);
    blocks.push({ name: `JSON, ${name}`, ms: await longestBlock(read) });
  }
  const [{ name: slowest, ms: longestBlockMs } = { name: '', ms: 0 }] = blocks.toSorted((a, b) => b.ms - a.ms);
  return { megabytes, longestBlockMs, slowest };
}

/** The longest block in one round, for the best of three rounds, because another process may disturb a round. */
async function longestBlock(read: () => Promise<unknown>): Promise<number> {
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) rounds.push(await longestBlockOnce(read));
  return Math.min(...rounds);
}

async function longestBlockOnce(read: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let last = performance.now();
  let isOver = false;
  const turn = (): void => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  await read().catch(() => undefined); // some are rejected as invalid
  isOver = true;
  await new Promise((resolve) => void setImmediate(resolve));
  return longest;
}
