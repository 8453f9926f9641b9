import { Problem } from '../http/problem.ts';
import { turn } from '../http/turn.ts';
import { walkGif } from './gif.ts';
import { IMAGE_TYPES, type Image, type ImageType } from './image.ts';
import { withImageIndex } from './image-index.ts';
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
 * Checks all images of a request, in their order; the problem says which of them it is about.
 * @throws {Problem} as {@link checkImage} does, and `empty_image` where there is none
 */
export async function checkImages(all: readonly Buffer[]): Promise<readonly Image[]> {
  if (all.length === 0)
    throw new Problem(
      'empty_image',
      'There is no image in the request. Send its bytes as the body, or as a part called image.',
    );
  return Promise.all(all.map(async (bytes, index) => withImageIndex(index, all.length, async () => checkImage(bytes))));
}

/**
 * Accepts bytes as an image only if the model can see it. The type comes from the signature. The structure is then
 * walked from header to end; pixels are not decoded, so the cost does not grow with their number.
 *
 * @throws {Problem} `empty_image`, `unsupported_image_type`, `animated_image` or `corrupt_image`
 */
export async function checkImage(bytes: Buffer): Promise<Image> {
  if (bytes.length === 0)
    throw new Problem(
      'empty_image',
      'The image has no bytes. Was it read from a file that is empty, or not read at all?',
    );
  const type = supportedType(bytes);
  if (type) return { type, ...(await finish(WALKS[type](bytes))), bytes };
  await turn();
  const detected = await detectType(bytes);
  const what = detected ? `This is ${detected}` : 'These bytes are not an image of a known type';
  throw new Problem(
    'unsupported_image_type',
    `${what}. Send a PNG, JPEG, WEBP or GIF. Only the bytes count, not the file name or the Content-Type.`,
    { members: { detected: detected ?? null, supported: IMAGE_TYPES } },
  );
}
