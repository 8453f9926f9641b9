import { crc32 } from 'node:zlib';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { IMAGE_TYPES } from '../../../src/image/image.ts';
import { describePicture, UnreadablePicture } from '../../../src/dev/emulator/picture.ts';
import { still } from '../../images/still.ts';

/** Creates a picture whose left third has one colour, and the rest another. */
async function picture(left: string, right = left): Promise<Buffer> {
  const third = await sharp({ create: { width: 10, height: 20, channels: 4, background: left } })
    .png()
    .toBuffer();
  return sharp(third).extend({ right: 20, background: right }).png().toBuffer();
}

test.each(IMAGE_TYPES)('describes an image of type %s by its type, pixels, bytes and colour', async (type) => {
  const image = await still(type, 123, 45);
  const name = type.slice('image/'.length).toUpperCase();
  const bytes = image.length.toLocaleString('en-US');
  expect(await describePicture(image)).toBe(`A ${name} image of 123 x 45 pixels, ${bytes} bytes, mostly steel blue.`);
});

test.each([
  ['#ffffff', '#ffffff', 'white'],
  ['#000000', '#000000', 'black'],
  ['#4682b4', '#4682b4', 'steel blue'],
  ['#dd2020', '#888888', 'red'],
  ['rgba(255,0,0,0.1)', 'rgba(255,0,0,0.1)', 'transparent'],
])('one third of %s and two thirds of %s are mostly %s', async (left, right, colour) => {
  expect(await describePicture(await picture(left, right))).toMatch(new RegExp(`, mostly ${colour}\\.$`));
});

test('accepts bytes after the end of a JPEG, and rejects a JPEG that is cut off', async () => {
  const jpeg = await still('image/jpeg', 64, 64);
  await expect(describePicture(Buffer.concat([jpeg, Buffer.alloc(100)]))).resolves.toContain('64 x 64');
  await expect(describePicture(jpeg.subarray(0, -100))).rejects.toThrow(UnreadablePicture);
});

test.each(['tiff', 'avif'] as const)('rejects %s, although the decoder can read it', async (format) => {
  const image = await sharp(await still('image/png', 8, 8))
    .toFormat(format)
    .toBuffer();
  await expect(describePicture(image)).rejects.toThrow('not supported');
});

test('rejects an image whose header says that it is millions of pixels wide', async () => {
  const image = await still('image/png', 8, 8);
  image.writeUInt32BE(16_711_704, 16);
  image.writeUInt32BE(crc32(image.subarray(12, 29)), 29);
  await expect(describePicture(image)).rejects.toThrow('30000 pixels');
});

test('rejects an animation', async () => {
  const frames = await sharp([await picture('red'), await picture('blue')], { join: { animated: true } })
    .gif()
    .toBuffer();
  await expect(describePicture(frames)).rejects.toThrow('Animated');
});
