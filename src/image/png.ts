import { crc32 } from 'node:zlib';
import { readOrientation } from './exif.ts';
import { animated, corrupt } from './faults.ts';
import type { Dimensions } from './image.ts';
import { Cuts, STEPS_PER_PAUSE, type Walk } from './walk.ts';

const SIGNATURE_BYTES = 8;
/** The bytes of a chunk's length, type and CRC: https://www.w3.org/TR/png-3/#5Chunk-layout */
const CHUNK_OVERHEAD = 12;
const HEADER_BYTES = 13;
/** How many bytes of a chunk are checked between two pauses. 1 MiB takes about 0.2 ms. */
const CRC_BYTES = 1024 * 1024;
/** The end marker is always the same twelve bytes. */
const END = Buffer.from('0000000049454e44ae426082', 'hex');
/** The limits of libpng: PNG_USER_WIDTH_MAX and PNG_USER_HEIGHT_MAX. */
const MAX_DIMENSION = 1_000_000;

/** The colour type whose pixels are entries of a palette. */
const INDEXED = 3;
/** The bit depths that each colour type may have: https://www.w3.org/TR/png-3/#3colourType */
const BIT_DEPTHS: Readonly<Record<number, readonly number[]>> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  [INDEXED]: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
};

const IHDR = chunkType('IHDR');
const PLTE = chunkType('PLTE');
const IDAT = chunkType('IDAT');
const IEND = chunkType('IEND');
const EXIF = chunkType('eXIf');
const ANIMATION_CONTROL = chunkType('acTL');
const FRAME_CONTROL = chunkType('fcTL');
const FRAME_DATA = chunkType('fdAT');
/** Optional chunks that say how to show the pixels. Decoders use the first one of each type. */
const RENDERING = new Set(
  ['tRNS', 'gAMA', 'cHRM', 'sRGB', 'iCCP', 'cICP', 'mDCV', 'cLLI', 'sBIT', 'bKGD', 'pHYs'].map(chunkType),
);

/**
 * Walks a PNG's chunks from the header to the end marker. It decodes no pixels, but it compares the checksums of the
 * chunks that every decoder needs. It cuts out everything after the end marker.
 * @throws {Problem} `corrupt_image` or `animated_image`
 */
export function* walkPng(bytes: Buffer): Walk {
  const { width, height, indexed } = readHeader(bytes);
  const cuts = new Cuts('PNG');
  const frames = new Frames();
  const rendering = new Set<number>();
  let orientation = 1;
  let hasPalette = false;
  let hasData = false;
  let previous = IHDR;
  let at = SIGNATURE_BYTES + CHUNK_OVERHEAD + HEADER_BYTES;
  for (let step = 1; at + CHUNK_OVERHEAD <= bytes.length; step += 1) {
    if (step % STEPS_PER_PAUSE === 0) yield;
    const length = bytes.readUInt32BE(at);
    const type = bytes.readUInt32BE(at + 4);
    const data = at + 8;
    const end = at + CHUNK_OVERHEAD + length;
    if (end > bytes.length) break;

    if (type === IDAT) {
      if (indexed && !hasPalette) throw corrupt('The PNG has no palette.');
      if (hasData && previous !== IDAT) throw corrupt('The PNG has other chunks between those of its image data.');
      hasData = true;
      let sum = 0;
      for (let from = at + 4; from < end - 4; from += CRC_BYTES) {
        if (from > at + 4) yield;
        sum = crc32(bytes.subarray(from, Math.min(from + CRC_BYTES, end - 4)), sum);
      }
      if (sum !== bytes.readUInt32BE(end - 4)) throw corrupt('The PNG has damaged image data.');
    } else if (type === IEND) {
      if (!hasData) throw corrupt('The PNG has no image data.');
      if (bytes.compare(END, 0, END.length, at, at + END.length) !== 0)
        throw corrupt('The PNG has a damaged end marker.');
      if (frames.shown > 1) throw animated('PNG');
      cuts.add(end, bytes.length);
      return { width, height, orientation, cuts: cuts.list };
    } else if (type === PLTE && !hasData) {
      if (hasPalette || !isPalette(bytes, at, length)) throw corrupt('The PNG has a damaged palette.');
      hasPalette = true;
    } else if (RENDERING.has(type) && !rendering.has(type)) {
      rendering.add(type);
    } else {
      if (!hasData && !isSkipped(type)) throw corrupt('The PNG has a chunk that no decoder knows.');
      if (type === ANIMATION_CONTROL && !hasData && length === 8) frames.announce(bytes.readUInt32BE(data));
      else if (type === FRAME_CONTROL && length >= 4) frames.control(bytes.readUInt32BE(data), hasData);
      else if (type === FRAME_DATA && length >= 4) frames.data(bytes.readUInt32BE(data));
      else if (type === EXIF && orientation === 1) orientation = readOrientation(bytes.subarray(data, data + length));
      cuts.add(at, end);
    }
    previous = type;
    at = end;
  }
  throw corrupt('The PNG is cut off before its end.');
}

/**
 * Counts the frames that a browser would show. They count only if more than one is announced before the image data, and
 * only as long as their chunks are numbered without a gap. Otherwise, the announced number does not matter.
 * https://www.w3.org/TR/png-3/#apng-frame-based-animation
 */
class Frames {
  shown = 0;
  #announced: number | undefined;
  #next = 0;
  #open = false;

  announce(count: number): void {
    this.#announced ??= count;
  }

  control(sequence: number, behindImage: boolean): void {
    this.#open = this.#follows(sequence);
    // A frame whose control chunk comes before the image data is the image itself.
    if (this.#open && !behindImage) this.#show();
  }

  data(sequence: number): void {
    if (this.#follows(sequence) && this.#open) this.#show();
  }

  #follows(sequence: number): boolean {
    if (sequence !== this.#next) return false;
    this.#next += 1;
    return true;
  }

  #show(): void {
    this.#open = false;
    if (this.#announced !== undefined && this.#announced > 1) this.shown += 1;
  }
}

function readHeader(bytes: Buffer): Dimensions & { readonly indexed: boolean } {
  const end = SIGNATURE_BYTES + CHUNK_OVERHEAD + HEADER_BYTES;
  if (bytes.length < end) throw corrupt('The PNG is cut off inside its header.');
  if (bytes.readUInt32BE(8) !== HEADER_BYTES || bytes.readUInt32BE(12) !== IHDR)
    throw corrupt('The PNG does not begin with its header.');
  if (crc32(bytes.subarray(12, end - 4)) !== bytes.readUInt32BE(end - 4))
    throw corrupt('The PNG has a damaged header.');
  const width = bytes.readUInt32BE(16);
  const height = bytes.readUInt32BE(20);
  if (width === 0 || height === 0 || width > MAX_DIMENSION || height > MAX_DIMENSION)
    throw corrupt('The PNG has no readable dimensions.');
  const [depth = 0, colour = 0, compression, filter, interlace = 0] = bytes.subarray(24, 29);
  if (!BIT_DEPTHS[colour]?.includes(depth))
    throw corrupt(`The PNG has colour type ${colour} with ${depth} bits, which does not exist.`);
  if (compression !== 0 || filter !== 0 || interlace > 1)
    throw corrupt('The PNG has an unknown compression, filter or interlace method.');
  return { width, height, indexed: colour === INDEXED };
}

/** Whether a chunk is a palette of 1 to 256 colours, 3 bytes each, with the right checksum. */
function isPalette(bytes: Buffer, at: number, length: number): boolean {
  const end = at + 8 + length;
  return (
    length > 0 &&
    length <= 3 * 256 &&
    length % 3 === 0 &&
    crc32(bytes.subarray(at + 4, end)) === bytes.readUInt32BE(end)
  );
}

/** Whether decoders skip an unknown chunk of this type: four letters, the first lower-case, the third upper-case. */
function isSkipped(type: number): boolean {
  const isOptional = (type & 0x20002000) === 0x20000000;
  return isOptional && isLetter(type >>> 24) && isLetter(type >>> 16) && isLetter(type >>> 8) && isLetter(type);
}

function isLetter(code: number): boolean {
  const small = (code & 0xff) | 0x20;
  return small >= 0x61 && small <= 0x7a;
}

/** Reads the four letters of a chunk's type as a number. */
function chunkType(letters: string): number {
  return Buffer.from(letters, 'latin1').readUInt32BE();
}
