import { animated, corrupt } from './faults.ts';
import type { Dimensions } from './image.ts';

const RIFF_HEADER_BYTES = 12;
const CHUNK_HEADER_BYTES = 8;
const ANIMATION_FLAG = 0x02;

/**
 * Walks a WebP's chunks within the size that its RIFF header tells: https://developers.google.com/speed/webp/docs/riff_container
 * @throws {Problem} `corrupt_image` or `animated_image`
 */
export function readWebp(bytes: Buffer): Dimensions {
  const end = CHUNK_HEADER_BYTES + bytes.readUInt32LE(4);
  if (end > bytes.length) throw corrupt('The WebP is cut off before its end.');

  let canvas: Dimensions | undefined;
  for (let at = RIFF_HEADER_BYTES; at + CHUNK_HEADER_BYTES <= end;) {
    const type = bytes.toString('latin1', at, at + 4);
    const length = bytes.readUInt32LE(at + 4);
    const data = bytes.subarray(at + CHUNK_HEADER_BYTES, at + CHUNK_HEADER_BYTES + length);
    if (at + CHUNK_HEADER_BYTES + length > end) throw corrupt('The WebP is cut off before its end.');
    if (type === 'VP8X') canvas = readCanvas(data);
    if (type === 'VP8 ' || type === 'VP8L') {
      const picture = type === 'VP8 ' ? readLossy(data) : readLossless(data);
      return canvas ?? picture;
    }
    at += CHUNK_HEADER_BYTES + length + (length % 2);
  }
  throw corrupt('The WebP has no image data.');
}

function readCanvas(data: Buffer): Dimensions {
  if (data.length < 10) throw noDimensions();
  if (data.readUInt8(0) & ANIMATION_FLAG) throw animated('WebP');
  return { width: data.readUIntLE(4, 3) + 1, height: data.readUIntLE(7, 3) + 1 };
}

/** The key frame header of VP8: RFC 6386, section 9.1. */
function readLossy(data: Buffer): Dimensions {
  if (data.length < 10 || data.readUIntBE(3, 3) !== 0x9d012a) throw noDimensions();
  const width = data.readUInt16LE(6) & 0x3fff;
  const height = data.readUInt16LE(8) & 0x3fff;
  if (width === 0 || height === 0) throw noDimensions();
  return { width, height };
}

/** The header of VP8L: 14 bits each for width and height, less one. RFC 9649, section 3.4. */
function readLossless(data: Buffer): Dimensions {
  if (data.length < 5 || data[0] !== 0x2f) throw noDimensions();
  const bits = data.readUInt32LE(1);
  return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
}

function noDimensions() {
  return corrupt('The WebP has no readable dimensions.');
}
