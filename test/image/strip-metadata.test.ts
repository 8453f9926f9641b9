import sharp from 'sharp';
import { expect, test } from 'vitest';
import { checkImage } from '../../src/image/check.ts';
import { IMAGE_TYPES } from '../../src/image/image.ts';
import { stripMetadata } from '../../src/image/strip-metadata.ts';
import { craftedFiles } from '../images/crafted.ts';
import { imagesWithMetadata } from '../images/metadata.ts';
import { insert, pngChunk, still } from '../images/still.ts';
import { some } from '../tier.ts';

/** How many bytes may be new: the header of a JFIF or Adobe segment, and the sizes and flags of a WebP. */
const MAX_NEW_BYTES = 32;

/** Even one of four includes every kind of metadata, and most of the places in every format. */
const images = some(await imagesWithMetadata(), 4);

test('there are more than 200 images with metadata', () => {
  expect(images.length).toBeGreaterThan(200);
});

test.each(images)('removes the metadata and keeps the pixels: $name', async ({ bytes, secret }) => {
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

  // The flags of a WebP no longer announce the removed chunks.
  if (stripped.toString('latin1', 12, 16) === 'VP8X' && image.cuts.some(({ instead }) => instead))
    expect(stripped.readUInt8(20) & 0x0c).toBe(0);

  const again = await checkImage(stripped);
  expect(again).toMatchObject({ type: image.type, width: image.width, height: image.height, orientation: 1, cuts: [] });
  const newPieces = pieces.filter((piece) => piece.buffer !== bytes.buffer);
  expect(newPieces.reduce((sum, { length }) => sum + length, 0)).toBeLessThanOrEqual(MAX_NEW_BYTES);
});

test.each(IMAGE_TYPES)('does not change an image without metadata: %s', async (type) => {
  const bytes = await still(type, 64, 48);
  expect(stripMetadata(await checkImage(bytes))).toEqual([bytes]);
});

test('keeps the chunks of a PNG that say how to show its pixels', async () => {
  const kept = {
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
  const chunks = Object.entries(kept).map(([type, data]) => pngChunk(type, Buffer.from(data, 'hex')));
  const afterHeader = 33;
  const plain = Buffer.concat([png.subarray(0, afterHeader), ...chunks, png.subarray(png.indexOf('IDAT') - 4)]);
  expect(stripMetadata(await checkImage(plain))).toEqual([plain]);
});

test('keeps the number of repetitions and the transparent colour of a GIF', async () => {
  const gif = await sharp(await still('image/png', 8, 8))
    .removeAlpha()
    .ensureAlpha(0)
    .gif({ loop: 3 })
    .toBuffer();
  const control = gif.indexOf(Buffer.from('21f904', 'hex'));
  const bytes = insert(gif, control, Buffer.from('21ff0b4e45545343415045322e300301030000', 'hex'));
  expect(stripMetadata(await checkImage(bytes))).toEqual([bytes]);
});

test('rejects an image with metadata in thousands of places', async () => {
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
