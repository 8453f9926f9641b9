import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { checkImage } from '../../src/image/check.ts';
import { IMAGE_TYPES } from '../../src/image/image.ts';
import { still, stillOfSize } from '../images/still.ts';
import { oneFrame } from '../images/variations.ts';
import { animatedPng, wrongFiles } from '../images/wrong.ts';

describe.each(IMAGE_TYPES)('%s', (type) => {
  test.each([
    [1, 1],
    [640, 480],
    [3001, 7],
  ])('of %d x %d pixels is accepted with its type and dimensions', async (width, height) => {
    const bytes = await still(type, width, height);
    expect(await checkImage(bytes)).toMatchObject({ type, width, height, bytes, orientation: 1 });
  });

  test('is accepted if it is padded to 100,000 bytes', async () => {
    const bytes = await stillOfSize(type, 100_000);
    expect(bytes.length).toBe(100_000);
    expect(await sharp(bytes).metadata()).toMatchObject({ width: 640, height: 480 });
    expect(await checkImage(bytes)).toMatchObject({ type, width: 640, height: 480 });
  });

  test('is rejected as corrupt if it is cut off at any byte', async () => {
    const bytes = await still(type, 32, 24);
    // A GIF is complete without its last byte, because decoders do not need the trailer.
    const end = type === 'image/gif' ? bytes.length - 1 : bytes.length;
    for (let length = 12; length < end; length += 1) {
      // The last byte of a WebP may be padding after a chunk of odd length. RIFF counts it, too.
      await expect(checkImage(bytes.subarray(0, length)), `${length} of ${bytes.length} bytes`).rejects.toMatchObject({
        code: 'corrupt_image',
      });
    }
  });
});

describe('a file that is not an acceptable image', async () => {
  test.each(await wrongFiles())('is rejected: $name, with $status $code', async ({ bytes, status, code }) => {
    await expect(checkImage(bytes)).rejects.toMatchObject({ status, code });
  });
});

describe('accepts', () => {
  test('a progressive JPEG, with metadata', async () => {
    const bytes = await sharp(await still('image/png', 300, 200))
      .jpeg({ progressive: true })
      .withExif({ IFD0: { Artist: 'nobody' } })
      .toBuffer();
    expect(await checkImage(bytes)).toMatchObject({ type: 'image/jpeg', width: 300, height: 200 });
  });

  test('a JPEG with bytes after its end', async () => {
    const bytes = Buffer.concat([await still('image/jpeg', 20, 10), Buffer.from('a depth map')]);
    expect(await checkImage(bytes)).toMatchObject({ type: 'image/jpeg', width: 20, height: 10 });
  });

  test('a looping GIF of one frame', async () => {
    const gif = await still('image/gif', 20, 10);
    const loop = Buffer.from('21ff0b4e45545343415045322e300301000000', 'hex');
    const afterColours = 13 + 3 * 2 ** (((gif[10] ?? 0) & 7) + 1);
    const bytes = Buffer.concat([gif.subarray(0, afterColours), loop, gif.subarray(afterColours)]);
    expect(await checkImage(bytes)).toMatchObject({ type: 'image/gif', width: 20, height: 10 });
  });

  test('an APNG of which decoders show a single frame, but not one with several', async () => {
    const png = await still('image/png', 20, 10);
    const accepted = { type: 'image/png', width: 20, height: 10 };
    expect(await checkImage(animatedPng(png, 0))).toMatchObject(accepted);
    expect(await checkImage(animatedPng(png, 0, 2))).toMatchObject(accepted);
    expect(await checkImage(animatedPng(png, 1, 1))).toMatchObject(accepted);
    expect(await checkImage(animatedPng(png, 1, 0))).toMatchObject(accepted);
    await expect(checkImage(animatedPng(png, 1, 3))).rejects.toMatchObject({ code: 'animated_image' });
  });

  test('a WebP of one frame', async () => {
    const bytes = oneFrame(await still('image/webp', 20, 10));
    expect(await checkImage(bytes)).toMatchObject({ type: 'image/webp', width: 20, height: 10 });
  });

  test('a GIF whose screen is smaller than its picture, with dimensions that include the picture', async () => {
    const gif = await still('image/gif', 20, 10);
    for (const [width, height] of [
      [0, 0],
      [0, 10],
      [5, 4],
      [19, 300],
    ] as const) {
      gif.writeUInt16LE(width, 6);
      gif.writeUInt16LE(height, 8);
      expect(await checkImage(gif)).toMatchObject({ width: 20, height: Math.max(10, height) });
    }
    const picture = gif.lastIndexOf(Buffer.from('2c00000000', 'hex'));
    gif.writeUInt16LE(7, picture + 1);
    gif.writeUInt16LE(6, picture + 3);
    gif.writeUInt16LE(3, 8);
    expect(await checkImage(gif)).toMatchObject({ width: 27, height: 16 });
  });

  test('a lossless WebP, and one with transparency', async () => {
    const picture = sharp({
      create: { width: 33, height: 21, channels: 4, background: { r: 9, g: 9, b: 9, alpha: 0.5 } },
    });
    expect(await checkImage(await picture.clone().webp({ lossless: true }).toBuffer())).toMatchObject({
      width: 33,
      height: 21,
    });
    expect(await checkImage(await picture.clone().webp({ lossless: false }).toBuffer())).toMatchObject({
      width: 33,
      height: 21,
    });
  });
});

test('reports an EXIF orientation without applying it to the dimensions', async () => {
  for (let orientation = 1; orientation <= 8; orientation += 1)
    for (const format of ['jpeg', 'png', 'webp'] as const) {
      const bytes = await sharp(await still('image/png', 20, 10))
        .withMetadata({ orientation })
        .toFormat(format)
        .toBuffer();
      expect(await checkImage(bytes)).toMatchObject({ orientation, width: 20, height: 10 });
    }
});
