import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { checkImage } from '../../src/image/check.ts';
import { IMAGE_TYPES } from '../../src/image/image.ts';
import { still, stillOfSize } from '../images/still.ts';
import { withAnimationChunk, wrongFiles } from '../images/wrong.ts';

describe.each(IMAGE_TYPES)('%s', (type) => {
  test.each([
    [1, 1],
    [640, 480],
    [3001, 7],
  ])('of %d x %d pixels is taken for what it is', async (width, height) => {
    const bytes = await still(type, width, height);
    expect(await checkImage(bytes)).toEqual({ type, width, height, bytes });
  });

  test('is whole with padding of its own format', async () => {
    const bytes = await stillOfSize(type, 100_000);
    expect(bytes.length).toBe(100_000);
    expect(await sharp(bytes).metadata()).toMatchObject({ width: 640, height: 480 });
    expect(await checkImage(bytes)).toMatchObject({ type, width: 640, height: 480 });
  });

  test('is damaged when cut off anywhere', async () => {
    const bytes = await still(type, 32, 24);
    for (let length = 12; length < bytes.length; length += 1) {
      // A WebP's last byte may be padding behind an odd chunk; RIFF counts it all the same.
      await expect(checkImage(bytes.subarray(0, length)), `${length} of ${bytes.length} bytes`).rejects.toMatchObject({
        code: 'corrupt_image',
      });
    }
  });
});

describe('what is wrong with a file', async () => {
  test.each(await wrongFiles())('$name: $status $code', async ({ bytes, status, code }) => {
    await expect(checkImage(bytes)).rejects.toMatchObject({ status, code });
  });
});

describe('stays an image', () => {
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
    const behindColours = 13 + 3 * 2 ** (((gif[10] ?? 0) & 7) + 1);
    const bytes = Buffer.concat([gif.subarray(0, behindColours), loop, gif.subarray(behindColours)]);
    expect(await checkImage(bytes)).toMatchObject({ type: 'image/gif', width: 20, height: 10 });
  });

  test('an APNG of one frame', async () => {
    const bytes = withAnimationChunk(await still('image/png', 20, 10), 1);
    expect(await checkImage(bytes)).toMatchObject({ type: 'image/png', width: 20, height: 10 });
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
