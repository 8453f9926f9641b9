import { randomFillSync } from 'node:crypto';
import { readFileSync } from 'node:fs';

const SAILBOAT = readFileSync(new URL('../images/sailboat.jpg', import.meta.url));
const END_OF_IMAGE_BYTES = 2;

/** A JPEG of exactly so many bytes, its scan filled up with noise, so that whoever looks for its end has to look at all of it. */
export function photoOf(bytes: number): Buffer {
  const end = SAILBOAT.length - END_OF_IMAGE_BYTES;
  const noise = randomFillSync(Buffer.alloc(bytes - SAILBOAT.length));
  for (let at = noise.indexOf(0xff); at >= 0; at = noise.indexOf(0xff, at)) noise[at] = 0xfe; // 0xff would begin a marker
  return Buffer.concat([SAILBOAT.subarray(0, end), noise, SAILBOAT.subarray(end)]);
}
