import { randomFillSync } from 'node:crypto';
import { readFileSync } from 'node:fs';

const SAILBOAT = readFileSync(new URL('../images/sailboat.jpg', import.meta.url));
const END_OF_IMAGE_BYTES = 2;

/**
 * Makes a JPEG of exactly this size. Random bytes at the end of its scan fill it up. They have no 0xff, which would
 * begin a marker, so a parser that looks for the end of the image has to read all of them.
 */
export function photoOf(bytes: number): Buffer {
  const end = SAILBOAT.length - END_OF_IMAGE_BYTES;
  const noise = randomFillSync(Buffer.alloc(bytes - SAILBOAT.length));
  for (let at = noise.indexOf(0xff); at >= 0; at = noise.indexOf(0xff, at)) noise[at] = 0xfe;
  return Buffer.concat([SAILBOAT.subarray(0, end), noise, SAILBOAT.subarray(end)]);
}
