import { crc32 } from 'node:zlib';

/** A number in an image file that a reader goes by: a length, a width, a height, a count. */
export interface Landmark {
  readonly at: number;
  readonly bytes: 1 | 2 | 3 | 4;
  readonly bigEndian: boolean;
}

/** Where the lengths and dimensions of a whole image stand. */
export function landmarksOf(image: Buffer): Landmark[] {
  switch (start(image)) {
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

/** Puts another number there; what a PNG's header says gets a checksum that agrees, or no decoder would believe it. */
export function lie(image: Buffer, { at, bytes, bigEndian }: Landmark, value: number): Buffer {
  const copy = Buffer.from(image);
  const fits = value % 2 ** (8 * bytes);
  if (bigEndian) copy.writeUIntBE(fits, at, bytes);
  else copy.writeUIntLE(fits, at, bytes);
  if (start(copy) === '\x89PNG' && at >= 16 && at < 29 && copy.length >= 33)
    copy.writeUInt32BE(crc32(copy.subarray(12, 29)), 29);
  return copy;
}

function start(image: Buffer): string {
  return image.toString('latin1', 0, 4);
}

function png(image: Buffer): Landmark[] {
  const marks: Landmark[] = [16, 20].map((at) => ({ at, bytes: 4, bigEndian: true }));
  for (let at = 8; at + 12 <= image.length; at += 12 + image.readUInt32BE(at))
    marks.push({ at, bytes: 4, bigEndian: true });
  return marks;
}

function jpeg(image: Buffer): Landmark[] {
  const marks: Landmark[] = [];
  for (let at = 2; at + 4 <= image.length && image[at] === 0xff; at += 2 + image.readUInt16BE(at + 2)) {
    marks.push({ at: at + 2, bytes: 2, bigEndian: true });
    if (image[at + 1] === 0xc0 || image[at + 1] === 0xc2)
      marks.push(...[at + 5, at + 7].map((mark) => ({ at: mark, bytes: 2 as const, bigEndian: true })));
  }
  return marks;
}

function gif(image: Buffer): Landmark[] {
  const marks: Landmark[] = [6, 8].map((at) => ({ at, bytes: 2, bigEndian: false }));
  marks.push({ at: 10, bytes: 1, bigEndian: false });
  const behindColours = 13 + ((image[10] ?? 0) & 0x80 ? 3 * 2 ** (((image[10] ?? 0) & 7) + 1) : 0);
  // The descriptor of the picture, its LZW code size, and the first lengths behind it.
  for (let at = behindColours; at < Math.min(behindColours + 20, image.length); at += 1)
    marks.push({ at, bytes: 1, bigEndian: false });
  return marks;
}

function webp(image: Buffer): Landmark[] {
  const marks: Landmark[] = [{ at: 4, bytes: 4, bigEndian: false }];
  for (let at = 12; at + 8 <= image.length; at += 8 + image.readUInt32LE(at + 4) + (image.readUInt32LE(at + 4) % 2)) {
    marks.push({ at: at + 4, bytes: 4, bigEndian: false });
    // Widths and heights stand in the first bytes of VP8, VP8L and VP8X.
    for (const mark of [at + 9, at + 12, at + 14, at + 15])
      if (mark + 3 <= image.length) marks.push({ at: mark, bytes: 3, bigEndian: false });
  }
  return marks;
}
