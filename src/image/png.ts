import { animated, corrupt } from './faults.ts';
import type { Dimensions } from './image.ts';

const SIGNATURE_BYTES = 8;
/** A chunk is its length, its type, its data and a CRC: https://www.w3.org/TR/png-3/#5Chunk-layout */
const CHUNK_OVERHEAD = 12;

/**
 * Walks a PNG's chunks from the header to the end marker, without decoding pixels. What follows IEND is ignored.
 * @throws {Problem} `corrupt_image` or `animated_image`
 */
export function readPng(bytes: Buffer): Dimensions {
  const dimensions = readHeader(bytes);
  let hasData = false;
  for (let at = SIGNATURE_BYTES; at + CHUNK_OVERHEAD <= bytes.length;) {
    const length = bytes.readUInt32BE(at);
    const type = bytes.toString('latin1', at + 4, at + 8);
    if (at + CHUNK_OVERHEAD + length > bytes.length) break;
    // An APNG is animated by its acTL chunk, before the image data; one frame is a still image all the same.
    if (type === 'acTL' && !hasData && length === 8 && bytes.readUInt32BE(at + 8) > 1) throw animated('PNG');
    if (type === 'IDAT') hasData = true;
    if (type === 'IEND') {
      if (hasData) return dimensions;
      throw corrupt('The PNG has no image data.');
    }
    at += CHUNK_OVERHEAD + length;
  }
  throw corrupt('The PNG is cut off before its end.');
}

function readHeader(bytes: Buffer): Dimensions {
  const headerEnd = SIGNATURE_BYTES + CHUNK_OVERHEAD + 13;
  if (bytes.length < headerEnd) throw corrupt('The PNG is cut off inside its header.');
  if (bytes.toString('latin1', 12, 16) !== 'IHDR') throw corrupt('The PNG does not begin with its header.');
  const width = bytes.readUInt32BE(16);
  const height = bytes.readUInt32BE(20);
  // Zero is invalid, and so is more than 31 bits: https://www.w3.org/TR/png-3/#11IHDR
  if (width === 0 || height === 0 || width > 0x7fffffff || height > 0x7fffffff)
    throw corrupt('The PNG has no readable dimensions.');
  return { width, height };
}
