import sharp from 'sharp';
import { pngChunk, still } from './still.ts';

/** A file that the model cannot use as an image, and the problem that the app must answer. */
export interface WrongFile {
  readonly name: string;
  readonly bytes: Buffer;
  readonly status: number;
  readonly code: string;
}

/** Makes one file for each kind of unusable image. */
export async function wrongFiles(): Promise<WrongFile[]> {
  const [png, jpeg, gif, webp] = await Promise.all([
    still('image/png', 64, 48),
    still('image/jpeg', 64, 48),
    still('image/gif', 64, 48),
    still('image/webp', 64, 48),
  ]);
  const unsupported = { status: 415, code: 'unsupported_image_type' };
  const animated = { status: 415, code: 'animated_image' };
  const corrupt = { status: 422, code: 'corrupt_image' };
  return [
    { name: 'MP4', bytes: mp4(), ...unsupported },
    {
      name: 'SVG',
      bytes: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"/>'),
      ...unsupported,
    },
    { name: 'BMP', bytes: bmp(), ...unsupported },
    { name: 'PDF', bytes: Buffer.from('%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n%%EOF\n'), ...unsupported },
    { name: 'ZIP', bytes: Buffer.from('504b0506000000000000000000000000000000000000', 'hex'), ...unsupported },
    { name: 'text', bytes: Buffer.from('Dear Sir or Madam, please find attached the photograph.'), ...unsupported },
    { name: 'empty', bytes: Buffer.alloc(0), status: 400, code: 'empty_image' },
    { name: 'truncated PNG', bytes: png.subarray(0, png.length - 20), ...corrupt },
    { name: 'PNG signature only', bytes: png.subarray(0, 8), ...corrupt },
    { name: 'truncated JPEG', bytes: jpeg.subarray(0, jpeg.length - 20), ...corrupt },
    { name: 'JPEG signature only', bytes: jpeg.subarray(0, 3), ...corrupt },
    { name: 'truncated GIF', bytes: gif.subarray(0, gif.length - 20), ...corrupt },
    { name: 'truncated WebP', bytes: webp.subarray(0, webp.length - 20), ...corrupt },
    { name: 'animated GIF', bytes: await twoFrames().gif({ loop: 0 }).toBuffer(), ...animated },
    { name: 'animated WebP', bytes: await twoFrames().webp({ loop: 0 }).toBuffer(), ...animated },
    { name: 'APNG', bytes: animatedPng(png, 1), ...animated },
  ];
}

/** Makes an APNG of `1 + more` equal frames. Its control chunk announces `announced` frames. */
export function animatedPng(png: Buffer, more: number, announced = more + 1): Buffer {
  const data = png.indexOf('IDAT') - 4;
  const dataEnd = data + 12 + png.readUInt32BE(data);
  const numbers = (...values: readonly number[]): Buffer => {
    const bytes = Buffer.alloc(4 * values.length);
    values.forEach((value, index) => bytes.writeUInt32BE(value, 4 * index));
    return bytes;
  };
  const control = (sequence: number): Buffer =>
    pngChunk(
      'fcTL',
      Buffer.concat([
        numbers(sequence, png.readUInt32BE(16), png.readUInt32BE(20), 0, 0),
        Buffer.from('0001000a0000', 'hex'),
      ]),
    );
  const frames = Array.from({ length: more }, (_, index) => [
    control(2 * index + 1),
    pngChunk('fdAT', Buffer.concat([numbers(2 * index + 2), png.subarray(data + 8, dataEnd - 4)])),
  ]);
  return Buffer.concat([
    png.subarray(0, data),
    pngChunk('acTL', numbers(announced, 0)),
    control(0),
    png.subarray(data, dataEnd),
    ...frames.flat(),
    png.subarray(dataEnd),
  ]);
}

function twoFrames() {
  const raw = Buffer.concat([Buffer.alloc(16 * 16 * 3, 0x20), Buffer.alloc(16 * 16 * 3, 0xe0)]);
  return sharp(raw, { raw: { width: 16, height: 32, channels: 3, pageHeight: 16 } });
}

function mp4(): Buffer {
  const box = Buffer.alloc(24);
  box.writeUInt32BE(24, 0);
  box.write('ftypisom', 4, 'latin1');
  box.write('isommp41', 16, 'latin1');
  return box;
}

function bmp(): Buffer {
  const bytes = Buffer.alloc(58);
  bytes.write('BM', 0, 'latin1');
  bytes.writeUInt32LE(58, 2);
  bytes.writeUInt32LE(54, 10);
  bytes.writeUInt32LE(40, 14);
  bytes.writeInt32LE(1, 18);
  bytes.writeInt32LE(1, 22);
  bytes.writeUInt16LE(1, 26);
  bytes.writeUInt16LE(24, 28);
  return bytes;
}
