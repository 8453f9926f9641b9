import sharp from 'sharp';
import { expect, test } from 'vitest';
import { checkImage } from '../../src/image/check.ts';
import { IMAGE_TYPES } from '../../src/image/image.ts';
import { stripMetadata } from '../../src/image/strip-metadata.ts';
import { craftedFiles } from '../images/crafted.ts';
import { imagesWithMetadata } from '../images/metadata.ts';
import { insert, pngChunk, still } from '../images/still.ts';
import { some } from '../tier.ts';

/** What may be made anew of an image: the header of a JFIF or Adobe segment, a WebP's sizes and flags. */
const MADE_BYTES = 32;

/** Enough that every kind of metadata is among them, and every format in most of the places. */
const images = some(await imagesWithMetadata(), 4);

test('there are more than 200 images with metadata', () => {
  expect(images.length).toBeGreaterThan(200);
});

test.each(images)('nothing is left of it, and the picture stays: $name', async ({ bytes, secret }) => {
  const image = await checkImage(bytes);
  const pieces = stripMetadata(image);
  const stripped = Buffer.concat(pieces);
  for (let at = 0; at + 4 <= secret.length; at += 1)
    expect(stripped.includes(secret.subarray(at, at + 4)), `bytes ${at} to ${at + 4}`).toBe(false);

  const [before, after] = await Promise.all([picture(bytes), picture(stripped)]);
  expect(after.info).toEqual(before.info);
  expect(after.data.equals(before.data)).toBe(true);
  const { icc, exif, xmp, iptc, comments } = await sharp(stripped).metadata();
  expect(icc).toEqual((await sharp(bytes).metadata()).icc);
  expect({ exif, xmp, iptc, comments }).toEqual({});

  // The flags of a WebP no longer announce what is gone.
  if (stripped.toString('latin1', 12, 16) === 'VP8X' && image.cuts.some(({ instead }) => instead))
    expect(stripped.readUInt8(20) & 0x0c).toBe(0);

  const again = await checkImage(stripped);
  expect(again).toMatchObject({ type: image.type, width: image.width, height: image.height, orientation: 1, cuts: [] });
  const made = pieces.filter((piece) => piece.buffer !== bytes.buffer);
  expect(made.reduce((sum, { length }) => sum + length, 0)).toBeLessThanOrEqual(MADE_BYTES);
});

test.each(IMAGE_TYPES)('an image without metadata is not touched: %s', async (type) => {
  const bytes = await still(type, 64, 48);
  expect(stripMetadata(await checkImage(bytes))).toEqual([bytes]);
});

test('what says how pixels are shown stays in a PNG', async () => {
  const shown = {
    tRNS: '000000000000',
    gAMA: '0000b18f',
    cHRM: '00007a25000080830000f9ff000080e9000075300000ea6000003a980000176f',
    sRGB: '00',
    iCCP: '700000',
    cICP: '010d0001',
    mDCV: '00'.repeat(24),
    cLLI: '00'.repeat(8),
    sBIT: '080808',
    bKGD: '000000000000',
    pHYs: '00000b1300000b1301',
  };
  const png = await sharp(await still('image/png', 8, 8))
    .removeAlpha()
    .png()
    .toBuffer();
  const chunks = Object.entries(shown).map(([type, data]) => pngChunk(type, Buffer.from(data, 'hex')));
  const behindHeader = 33;
  const plain = Buffer.concat([png.subarray(0, behindHeader), ...chunks, png.subarray(png.indexOf('IDAT') - 4)]);
  expect(stripMetadata(await checkImage(plain))).toEqual([plain]);
});

test('the number of repetitions and the transparent colour stay in a GIF', async () => {
  const gif = await sharp(await still('image/png', 8, 8))
    .removeAlpha()
    .ensureAlpha(0)
    .gif({ loop: 3 })
    .toBuffer();
  const control = gif.indexOf(Buffer.from('21f904', 'hex'));
  const bytes = insert(gif, control, Buffer.from('21ff0b4e45545343415045322e300301030000', 'hex'));
  expect(stripMetadata(await checkImage(bytes))).toEqual([bytes]);
});

test('an image with metadata in thousands of places is refused', async () => {
  const crafted = (await craftedFiles(400_000)).filter(({ name }) => name.includes('between'));
  expect(crafted.length).toBe(2);
  for (const { bytes } of crafted)
    await expect(checkImage(bytes)).rejects.toMatchObject({
      code: 'corrupt_image',
      detail: expect.stringContaining('4096 places') as string,
    });
});

/** The pixels as they are stored. */
async function picture(bytes: Buffer) {
  return sharp(bytes, { failOn: 'error' }).raw().toBuffer({ resolveWithObject: true });
}
