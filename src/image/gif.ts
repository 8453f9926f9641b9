import { animated, corrupt } from './faults.ts';
import type { Dimensions } from './image.ts';
import { Cuts, STEPS_PER_PAUSE, type Walk } from './walk.ts';

/** Block introducers and extension labels: https://www.w3.org/Graphics/GIF/spec-gif89a.txt */
const EXTENSION = 0x21;
const IMAGE = 0x2c;
const TRAILER = 0x3b;
const GRAPHIC_CONTROL = 0xf9;
const APPLICATION = 0xff;
const HEADER_BYTES = 13;
const DESCRIPTOR_BYTES = 10;
/** A pixel has at most 8 bits. */
const MAX_CODE_SIZE = 8;
/** The introducer, the label, one sub-block of 4 bytes with the transparent colour, and the terminator. */
const GRAPHIC_CONTROL_BYTES = 8;
/** The extension that says how often an animation repeats. It is not metadata, so it is kept. */
const LOOP = Buffer.from('\x21\xff\x0bNETSCAPE2.0\x03\x01', 'latin1');
const LOOP_BYTES = LOOP.length + 3;

/**
 * Walks a GIF's blocks to the end of its picture. Then it looks for a second picture, which makes the GIF animated.
 * Damage after the end of the picture does not matter, because decoders show the picture anyway.
 * @throws {Problem} `corrupt_image` or `animated_image`
 */
export function* walkGif(bytes: Buffer): Walk {
  if (bytes.length < HEADER_BYTES) throw corrupt('The GIF is cut off inside its header.');
  // The versions are 87a and 89a. Decoders look at no more than the first digit.
  if (bytes.toString('latin1', 0, 4) !== 'GIF8') throw corrupt('The GIF has an unknown version.');

  const cuts = new Cuts('GIF');
  let picture: Dimensions | undefined;
  let at = HEADER_BYTES + colourTableBytes(bytes[10]);
  for (let step = 1; at < bytes.length; step += 1) {
    if (step % STEPS_PER_PAUSE === 0) yield;
    const start = at;
    const block = bytes[at];
    if (block === EXTENSION) {
      at += 2;
      for (; bytes[at]; at = skipSubBlocks(bytes, at)) if (at > start + 2) yield;
      at += 1;
      if (at > bytes.length) {
        at = start;
        break;
      }
      cutExtension(bytes, start, at, cuts);
    } else if (block === IMAGE && (!picture || beginsPicture(bytes, at))) {
      if (picture) throw animated('GIF');
      picture = readPicture(bytes, at);
      // The local colour table, the code size, and the compressed picture in sub-blocks.
      at += DESCRIPTOR_BYTES + colourTableBytes(bytes[at + 9]) + 1;
      for (; bytes[at]; at = skipSubBlocks(bytes, at)) yield;
      at += 1;
      if (at > bytes.length) throw cutOff();
    } else {
      break;
    }
  }
  if (!picture) throw corrupt(at < bytes.length ? 'The GIF has no picture.' : 'The GIF is cut off before its picture.');
  if (bytes[at] === TRAILER) cuts.add(at + 1, bytes.length);
  else cuts.add(at, bytes.length, Buffer.of(TRAILER));
  return { ...picture, orientation: 1, cuts: cuts.list };
}

/** The size of the colour table by its flags byte: 3 bytes for each of 2 to 256 colours, or 0 if there is no table. */
function colourTableBytes(flags = 0): number {
  return flags & 0x80 ? 3 * 2 ** ((flags & 0x07) + 1) : 0;
}

/** Skips sub-blocks up to the empty one that ends them, but no more than a walk may skip between two pauses. */
function skipSubBlocks(bytes: Buffer, start: number): number {
  let at = start;
  for (let step = 0; step < STEPS_PER_PAUSE; step += 1) {
    const length = bytes[at];
    if (!length) break;
    at += 1 + length;
  }
  return at;
}

/** Cuts out an extension, except the transparent colour, without further sub-blocks, and the number of repetitions. */
function cutExtension(bytes: Buffer, start: number, end: number, cuts: Cuts): void {
  const label = bytes[start + 1];
  if (label === GRAPHIC_CONTROL && bytes[start + 2] === 4) cuts.add(start + GRAPHIC_CONTROL_BYTES - 1, end - 1);
  else if (
    label !== APPLICATION ||
    end - start !== LOOP_BYTES ||
    bytes.compare(LOOP, 0, LOOP.length, start, start + LOOP.length) !== 0
  )
    cuts.add(start, end);
}

/** Whether a second picture begins here. Stray bytes may also begin with the byte of a picture. */
function beginsPicture(bytes: Buffer, at: number): boolean {
  const codeSize = codeSizeOf(bytes, at);
  return codeSize > 0 && codeSize <= MAX_CODE_SIZE && bytes.readUInt16LE(at + 5) > 0 && bytes.readUInt16LE(at + 7) > 0;
}

/** The bits of a pixel: the byte after a picture's descriptor and colour table. 0 if the GIF ends before it. */
function codeSizeOf(bytes: Buffer, at: number): number {
  return bytes[at + DESCRIPTOR_BYTES + colourTableBytes(bytes[at + 9])] ?? 0;
}

/** The size of the screen. If the picture extends beyond the screen, decoders enlarge the screen. */
function readPicture(bytes: Buffer, at: number): Dimensions {
  if (at + DESCRIPTOR_BYTES > bytes.length) throw cutOff();
  const width = Math.max(bytes.readUInt16LE(6), bytes.readUInt16LE(at + 1) + bytes.readUInt16LE(at + 5));
  const height = Math.max(bytes.readUInt16LE(8), bytes.readUInt16LE(at + 3) + bytes.readUInt16LE(at + 7));
  if (width === 0 || height === 0) throw corrupt('The GIF has no readable dimensions.');
  if (codeSizeOf(bytes, at) > MAX_CODE_SIZE) throw corrupt('The GIF has a damaged picture.');
  return { width, height };
}

function cutOff() {
  return corrupt('The GIF is cut off inside its picture.');
}
