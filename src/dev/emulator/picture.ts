import sharp from 'sharp';
import { mainColour } from './colour.ts';

const SAMPLE_PIXELS = 32;
/** No photo is longer; 300 bytes that say they are 16 million pixels wide took a minute to decode. */
const LONGEST_SIDE = 30_000;
const formats = new Set(['jpeg', 'png', 'webp', 'gif']);

/** An image the emulated model cannot see. */
export class UnreadablePicture extends Error {}

/**
 * Decodes an image and says what it is: `A JPEG image of 640 x 480 pixels, 12,345 bytes, mostly steel blue.`
 *
 * @throws UnreadablePicture unless it is one whole JPEG, PNG, WEBP or GIF that does not move.
 */
export async function describePicture(bytes: Buffer): Promise<string> {
  try {
    const { format, width, height, pages = 1 } = await sharp(bytes).metadata();
    if (!formats.has(format)) throw new UnreadablePicture(`${format} images are not supported.`);
    if (pages > 1) throw new UnreadablePicture('Animated images are not supported.');
    if (Math.max(width, height) > LONGEST_SIDE)
      throw new UnreadablePicture(`A side of more than ${LONGEST_SIDE} pixels is not supported.`);

    const size = `${width} x ${height} pixels, ${bytes.length.toLocaleString('en-US')} bytes`;
    return `A ${format.toUpperCase()} image of ${size}, mostly ${mainColour(await sample(bytes))}.`;
  } catch (error) {
    if (error instanceof UnreadablePicture) throw error;
    throw new UnreadablePicture('The image data cannot be decoded.', { cause: error });
  }
}

async function sample(bytes: Buffer): Promise<Buffer> {
  return sharp(bytes, { failOn: 'error' })
    .resize(SAMPLE_PIXELS, SAMPLE_PIXELS, { fit: 'inside' })
    .toColourspace('srgb')
    .ensureAlpha()
    .raw()
    .toBuffer();
}
