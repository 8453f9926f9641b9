import sharp from 'sharp';
import { mainColour } from './colour.ts';

const SAMPLE_PIXELS = 32;
/**
 * Limit of width and height. No photo is larger. A file of 300 bytes with a width of 16 million took a minute to
 * decode.
 */
const LONGEST_SIDE = 30_000;
const formats = new Set(['jpeg', 'png', 'webp', 'gif']);

/** An image or a file that the emulated model cannot read. */
export class UnreadablePicture extends Error {}

/**
 * Decodes an image and describes it: `A JPEG image of 640 x 480 pixels, 12,345 bytes, mostly steel blue.`
 *
 * @throws {UnreadablePicture} unless it is a complete JPEG, PNG, WEBP or GIF image without animation
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
