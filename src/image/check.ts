import { yieldToOthers } from '../http/event-loop.ts';
import { noBytes, unsupportedType } from './faults.ts';
import { walkGif } from './gif.ts';
import { IMAGE_TYPES, type Image, type ImageType } from './image.ts';
import { walkJpeg } from './jpeg.ts';
import { walkPng } from './png.ts';
import { detectType, supportedType } from './sniff.ts';
import { finish, type Walk } from './walk.ts';
import { walkWebp } from './webp.ts';

const WALKS: Record<ImageType, (bytes: Buffer) => Walk> = {
  'image/png': walkPng,
  'image/jpeg': walkJpeg,
  'image/webp': walkWebp,
  'image/gif': walkGif,
};

/**
 * Checks that bytes are an image that the model can see. It tells the type by the signature, and walks the structure
 * from header to end. It decodes no pixels, so the cost does not depend on their number.
 * @throws {Problem} `empty_image`, `unsupported_image_type`, `animated_image` or `corrupt_image`
 */
export async function checkImage(bytes: Buffer): Promise<Image> {
  if (bytes.length === 0) throw noBytes();
  const type = supportedType(bytes);
  if (type) return { type, ...(await finish(WALKS[type](bytes))), bytes };
  await yieldToOthers();
  throw unsupportedType(await detectType(bytes), IMAGE_TYPES);
}
