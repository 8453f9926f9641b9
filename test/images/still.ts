import { crc32 } from 'node:zlib';
import sharp from 'sharp';
import type { ImageType } from '../../src/image/image.ts';

const made = new Map<string, Promise<Buffer>>();

/** Makes bytes once for each key, and returns them in a new buffer for each call. */
async function once(key: string, make: () => Promise<Buffer>): Promise<Buffer> {
  const bytes = made.get(key) ?? make();
  made.set(key, bytes);
  return Buffer.from(await bytes);
}

/** Makes an image of a yellow circle on blue. Equal arguments give equal bytes. */
export async function still(type: ImageType, width: number, height: number): Promise<Buffer> {
  return once(`${type} ${width} ${height}`, async () => draw(type, width, height));
}

async function draw(type: ImageType, width: number, height: number): Promise<Buffer> {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">
    <rect width="100%" height="100%" fill="#4682b4"/><circle cx="50%" cy="50%" r="30%" fill="#f4c430"/></svg>`;
  return sharp(Buffer.from(svg))
    .toFormat(type === 'image/jpeg' ? 'jpeg' : (type.slice('image/'.length) as 'png'))
    .toBuffer();
}

/** Adds an EXIF orientation to an image. With the default, viewers turn it by 90 degrees. */
export async function turned(image: Buffer | undefined, orientation = 6): Promise<Buffer> {
  return sharp(image).withMetadata({ orientation }).toBuffer();
}

/**
 * Makes the same picture in exactly `size` bytes. The padding is in places that decoders skip, but it counts as a part
 * of the picture, so the app sends it to the model.
 */
export async function stillOfSize(type: ImageType, size: number): Promise<Buffer> {
  return once(`${type} ${size}`, async () => fill(type, size));
}

async function fill(type: ImageType, size: number): Promise<Buffer> {
  const image = await still(type, 640, 480);
  const missing = size - image.length;
  switch (type) {
    case 'image/png':
      return fillPng(image, missing);
    case 'image/webp':
      return fillWebp(image, missing);
    case 'image/jpeg':
      return insert(image, image.indexOf(Buffer.from('ffdb', 'hex')), quantizationTables(missing));
    case 'image/gif':
      return insert(image, image.length - 2, subBlocks(missing));
  }
}

/** A PNG chunk with its length and CRC. */
export function pngChunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const chunk = Buffer.alloc(body.length + 8);
  chunk.writeUInt32BE(data.length, 0);
  body.copy(chunk, 4);
  chunk.writeUInt32BE(crc32(body), body.length + 4);
  return chunk;
}

/** Inserts bytes into other bytes. */
export function insert(into: Buffer, at: number, what: Buffer): Buffer {
  return Buffer.concat([into.subarray(0, at), what, into.subarray(at)]);
}

/**
 * Quantization tables of 65 bytes, in segments with 4 bytes of overhead. All have the number 0, so the picture's own
 * table, which comes after them, replaces them.
 */
function quantizationTables(bytes: number): Buffer {
  for (let segments = Math.ceil(bytes / 65_524); ; segments += 1) {
    const tables = (bytes - 4 * segments) / 65;
    if (tables < segments) throw new Error(`${bytes} bytes are too few to fill a JPEG with`);
    if (!Number.isInteger(tables) || tables > 1008 * segments) continue;
    const parts: Buffer[] = [];
    for (let left = tables; parts.length < segments; left -= Math.ceil(left / (segments - parts.length + 1))) {
      const data = noise(65 * Math.ceil(left / (segments - parts.length))).map((byte, at) => (at % 65 ? byte || 1 : 0));
      parts.push(Buffer.concat([Buffer.of(0xff, 0xdb, (data.length + 2) >> 8, (data.length + 2) & 0xff), data]));
    }
    return Buffer.concat(parts);
  }
}

/** Adds empty blocks of 5 bytes at the start of the compressed data, and empty chunks of 12 bytes for the remainder. */
function fillPng(png: Buffer, bytes: number): Buffer {
  const at = png.indexOf('IDAT') - 4;
  const length = png.readUInt32BE(at);
  const chunks = (3 * bytes) % 5;
  const blocks = Buffer.alloc(bytes - 12 * chunks, Buffer.from('000000ffff', 'hex'));
  const data = png.subarray(at + 8, at + 8 + length);
  return Buffer.concat([
    png.subarray(0, at),
    ...Array.from({ length: chunks }, () => pngChunk('IDAT', Buffer.alloc(0))),
    pngChunk('IDAT', Buffer.concat([data.subarray(0, 2), blocks, data.subarray(2)])),
    png.subarray(at + 12 + length),
  ]);
}

/** Appends bytes to the last partition of a lossy picture. Decoders do not read them. */
function fillWebp(webp: Buffer, bytes: number): Buffer {
  const filled = Buffer.concat([webp, noise(bytes)]);
  filled.writeUInt32LE(filled.length - 8, 4);
  filled.writeUInt32LE(filled.length - 20, 16);
  return filled;
}

/** Sub-blocks for the end of a GIF's compressed data. Decoders stop reading before them. */
function subBlocks(bytes: number): Buffer {
  const blocks: Buffer[] = [];
  for (let left = bytes; left > 0;) {
    const block = left > 256 + 1 || left === 256 ? 256 : left === 257 ? 255 : left;
    blocks.push(Buffer.concat([Buffer.of(block - 1), noise(block - 1)]));
    left -= block;
  }
  return Buffer.concat(blocks);
}

/** Changes a JPEG's header so that it says that each side has `side` pixels. */
export function sayingSide(jpeg: Buffer, side: number): Buffer {
  const changed = Buffer.from(jpeg);
  const frame = changed.indexOf(Buffer.from('ffc00011', 'hex'));
  changed.writeUInt16BE(side, frame + 5);
  changed.writeUInt16BE(side, frame + 7);
  return changed;
}

/** Bytes that do not compress, the same in every run. */
function noise(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let state = 0x2545f491;
  for (let at = 0; at < length; at += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[at] = state;
  }
  return bytes;
}
