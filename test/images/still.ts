import { crc32 } from 'node:zlib';
import sharp from 'sharp';
import type { ImageType } from '../../src/image/image.ts';

/** A picture with enough in it that its decoded pixels differ from place to place. */
export async function still(type: ImageType, width: number, height: number): Promise<Buffer> {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">
    <rect width="100%" height="100%" fill="#4682b4"/><circle cx="50%" cy="50%" r="30%" fill="#f4c430"/></svg>`;
  return sharp(Buffer.from(svg))
    .toFormat(type === 'image/jpeg' ? 'jpeg' : (type.slice('image/'.length) as 'png'))
    .toBuffer();
}

/** An image that lies on its side, as its EXIF orientation says. */
export async function turned(image: Buffer | undefined, orientation = 6): Promise<Buffer> {
  return sharp(image).withMetadata({ orientation }).toBuffer();
}

/** The same picture in exactly `size` bytes, still valid: what is missing is filled in where the format has room for it. */
export async function stillOfSize(type: ImageType, size: number): Promise<Buffer> {
  const image = await still(type, 640, 480);
  const missing = size - image.length;
  switch (type) {
    case 'image/png':
      return insert(image, image.length - 12, pngChunk('teSt', noise(missing - 12)));
    case 'image/webp':
      return appendWebpChunk(image, missing);
    case 'image/jpeg':
    case 'image/gif':
      return Buffer.concat([image, noise(missing)]); // behind the end marker
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

export function insert(into: Buffer, at: number, what: Buffer): Buffer {
  return Buffer.concat([into.subarray(0, at), what, into.subarray(at)]);
}

function appendWebpChunk(image: Buffer, bytes: number): Buffer {
  const header = Buffer.from('JUNK\0\0\0\0', 'latin1');
  header.writeUInt32LE(bytes - 8, 4);
  const padded = Buffer.concat([image, header, noise(bytes - 8)]);
  padded.writeUInt32LE(padded.length - 8, 4);
  return padded;
}

/** Bytes without a pattern to compress, the same on every run. */
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
