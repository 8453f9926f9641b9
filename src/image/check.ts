import { turn } from '../http/turn.ts';
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
 * Accepts bytes as an image only if the model can see it. The type comes from the signature. The structure is then
 * walked from header to end; pixels are not decoded, so the cost does not grow with their number.
 *
 * @throws {Problem} `empty_image`, `unsupported_image_type`, `animated_image` or `corrupt_image`
 */
export async function checkImage(bytes: Buffer): Promise<Image> {
  if (bytes.length === 0) throw noBytes();
  const type = supportedType(bytes);
  if (type) return { type, ...(await finish(WALKS[type](bytes))), bytes };
  await turn();
  throw unsupportedType(await detectType(bytes), IMAGE_TYPES);
}
