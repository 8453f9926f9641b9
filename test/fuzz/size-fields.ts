import { crc32 } from 'node:zlib';

/** A number in an image file that a reader relies on: a length, a width, a height or a count. */
export interface SizeField {
  readonly at: number;
  readonly bytes: 1 | 2 | 3 | 4;
  readonly bigEndian: boolean;
}

/** Finds the lengths and dimensions in an image that is not damaged. */
export function sizeFieldsOf(image: Buffer): SizeField[] {
  switch (signature(image)) {
    case '\x89PNG':
      return png(image);
    case 'GIF8':
      return gif(image);
    case 'RIFF':
      return webp(image);
    default:
      return jpeg(image);
  }
}

/** Changes a field. It also updates the checksum of a PNG header, because decoders reject a wrong one. */
export function withSizeField(image: Buffer, { at, bytes, bigEndian }: SizeField, value: number): Buffer {
  const copy = Buffer.from(image);
  const truncated = value % 2 ** (8 * bytes);
  if (bigEndian) copy.writeUIntBE(truncated, at, bytes);
  else copy.writeUIntLE(truncated, at, bytes);
  if (signature(copy) === '\x89PNG' && at >= 16 && at < 29 && copy.length >= 33)
    copy.writeUInt32BE(crc32(copy.subarray(12, 29)), 29);
  return copy;
}

function signature(image: Buffer): string {
  return image.toString('latin1', 0, 4);
}

function png(image: Buffer): SizeField[] {
  const fields: SizeField[] = [16, 20].map((at) => ({ at, bytes: 4, bigEndian: true }));
  for (let at = 8; at + 12 <= image.length; at += 12 + image.readUInt32BE(at))
    fields.push({ at, bytes: 4, bigEndian: true });
  return fields;
}

function jpeg(image: Buffer): SizeField[] {
  const fields: SizeField[] = [];
  for (let at = 2; at + 4 <= image.length && image[at] === 0xff; at += 2 + image.readUInt16BE(at + 2)) {
    fields.push({ at: at + 2, bytes: 2, bigEndian: true });
    if (image[at + 1] === 0xc0 || image[at + 1] === 0xc2)
      fields.push(...[at + 5, at + 7].map((start) => ({ at: start, bytes: 2 as const, bigEndian: true })));
  }
  return fields;
}

function gif(image: Buffer): SizeField[] {
  const fields: SizeField[] = [6, 8].map((at) => ({ at, bytes: 2, bigEndian: false }));
  fields.push({ at: 10, bytes: 1, bigEndian: false });
  const afterColours = 13 + ((image[10] ?? 0) & 0x80 ? 3 * 2 ** (((image[10] ?? 0) & 7) + 1) : 0);
  // The image descriptor, the LZW code size, and the first lengths after it.
  for (let at = afterColours; at < Math.min(afterColours + 20, image.length); at += 1)
    fields.push({ at, bytes: 1, bigEndian: false });
  return fields;
}

function webp(image: Buffer): SizeField[] {
  const fields: SizeField[] = [{ at: 4, bytes: 4, bigEndian: false }];
  for (let at = 12; at + 8 <= image.length; at += 8 + image.readUInt32LE(at + 4) + (image.readUInt32LE(at + 4) % 2)) {
    fields.push({ at: at + 4, bytes: 4, bigEndian: false });
    // VP8, VP8L and VP8X have the width and height in their first bytes.
    for (const start of [at + 9, at + 12, at + 14, at + 15])
      if (start + 3 <= image.length) fields.push({ at: start, bytes: 3, bigEndian: false });
  }
  return fields;
}
