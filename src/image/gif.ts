import { animated, corrupt } from './faults.ts';
import type { Dimensions } from './image.ts';

/** Block introducers: https://www.w3.org/Graphics/GIF/spec-gif89a.txt */
const EXTENSION = 0x21;
const IMAGE = 0x2c;
const TRAILER = 0x3b;

/**
 * Walks a GIF's blocks to its trailer. A second picture makes it animated; a loop count alone does not.
 * @throws {Problem} `corrupt_image` or `animated_image`
 */
export function readGif(bytes: Buffer): Dimensions {
  if (bytes.length < 13) throw corrupt('The GIF is cut off inside its header.');
  const width = bytes.readUInt16LE(6);
  const height = bytes.readUInt16LE(8);
  if (width === 0 || height === 0) throw corrupt('The GIF has no readable dimensions.');

  let pictures = 0;
  for (let at = 13 + colourTableBytes(bytes[10]); at < bytes.length;) {
    const block = bytes[at];
    if (block === TRAILER) {
      if (pictures > 0) return { width, height };
      throw corrupt('The GIF has no picture in it.');
    }
    if (block === EXTENSION) {
      at = skipSubBlocks(bytes, at + 2);
    } else if (block === IMAGE) {
      pictures += 1;
      if (pictures > 1) throw animated('GIF');
      // Ten bytes of descriptor, a colour table of its own, the LZW code size.
      at = skipSubBlocks(bytes, at + 10 + colourTableBytes(bytes[at + 9]) + 1);
    } else {
      throw corrupt('The GIF has bytes where a block should begin.');
    }
  }
  throw corrupt('The GIF is cut off before its end.');
}

/** Size of the colour table that a flags byte announces: three bytes for each of 2 to 256 colours, or none. */
function colourTableBytes(flags = 0): number {
  return flags & 0x80 ? 3 * 2 ** ((flags & 0x07) + 1) : 0;
}

/** From the first sub-block's length byte to behind the empty one that ends them; past the end where they are cut off. */
function skipSubBlocks(bytes: Buffer, start: number): number {
  let at = start;
  for (let length = bytes[at]; length; length = bytes[at]) at += 1 + length;
  return at + 1;
}
