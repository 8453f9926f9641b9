import { DEFAULT_LIMITS } from '../../src/config/limits.ts';
import { checkImage } from '../../src/image/check.ts';
import { readJsonForm } from '../../src/request/json-form.ts';
import { LargeJson } from '../../src/request/large-json.ts';
import { craftedFiles } from '../images/crafted.ts';
import { bytesOf } from './load.ts';
import type { Plan } from './plan.ts';

const ROUNDS = 3;

/** A body of JSON is this much larger than an image. At 20 MB that is nearly the largest body, of 100 MB. */
const BODY_PER_IMAGE = 4.9;
/** Texts that are an image in JSON, each made of the unit that takes longest to read in its own way. */
const JSON_UNITS = { base64: 'AAAA', 'spaces in base64': 'A ', 'escaped quotes': '\\"', 'escaped letters': '\\u0041' };

/** What bodies do to the event loop that are made to take as many steps as they can. */
export interface Crafted {
  /** Of an image. */
  readonly megabytes: number;
  /** Of the body that blocks longest. */
  readonly longestBlockMs: number;
  readonly slowest: string;
}

/** Reads each of them as a request would, and measures how long the event loop is without a turn. */
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

/** The shortest of three rounds, because another process may disturb one. */
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
  await read().catch(() => undefined); // some of them are refused
  isOver = true;
  await new Promise((resolve) => void setImmediate(resolve));
  return longest;
}
