import { Problem } from '../http/problem.ts';
import { readGif } from './gif.ts';
import { IMAGE_TYPES, type Dimensions, type Image, type ImageType } from './image.ts';
import { readJpeg } from './jpeg.ts';
import { withImageIndex } from './image-index.ts';
import { readPng } from './png.ts';
import { readWebp } from './webp.ts';

/** What file-type looks at by default; it answered the same from these as from the whole file for every sample tried. */
const SNIFF_BYTES = 4100;
const SIGNATURE_BYTES = 12;
/** By these alone file-type knows them too, but for a PNG, whose reader tells better why it is not a whole one. */
const SIGNATURES: Record<ImageType, (start: string) => boolean> = {
  'image/png': (start) => start.startsWith('\x89PNG\r\n\x1a\n'),
  'image/jpeg': (start) => start.startsWith('\xff\xd8\xff') && start[3] !== '\xf7', // which begins a JPEG-LS
  'image/webp': (start) => start.startsWith('RIFF') && start.startsWith('WEBP', 8),
  'image/gif': (start) => start.startsWith('GIF87a') || start.startsWith('GIF89a'),
};

const READERS: Record<ImageType, (bytes: Buffer) => Dimensions> = {
  'image/png': readPng,
  'image/jpeg': readJpeg,
  'image/webp': readWebp,
  'image/gif': readGif,
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
 * Takes bytes for an image only if they are one that the model can see: told apart by their signature, and by
 * `file-type` where they have none of these four, then walked from header to end. The walk reads the structure and not
 * the pixels, so its cost does not grow with their number.
 *
 * @throws {Problem} `empty_image`, `unsupported_image_type`, `animated_image` or `corrupt_image`
 */
export async function checkImage(bytes: Buffer): Promise<Image> {
  if (bytes.length === 0)
    throw new Problem(
      'empty_image',
      'The image has no bytes. Was it read from a file that is empty, or not read at all?',
    );
  const type = await sniff(bytes);
  return { type, ...READERS[type](bytes), bytes };
}

async function sniff(bytes: Buffer): Promise<ImageType> {
  const start = bytes.toString('latin1', 0, SIGNATURE_BYTES);
  const signed = IMAGE_TYPES.find((type) => SIGNATURES[type](start));
  if (signed) return signed;
  // Loaded for who sends something else: few do, and it knows well what that may be.
  const { fileTypeFromBuffer } = await import('file-type');
  const detected = await fileTypeFromBuffer(bytes.subarray(0, SNIFF_BYTES));
  const type = IMAGE_TYPES.find((supported) => supported === detected?.mime);
  if (type) return type;
  const what = detected ? `This is ${detected.mime}` : 'These bytes are no image that is known here';
  throw new Problem(
    'unsupported_image_type',
    `${what}. Send a PNG, JPEG, WEBP or GIF; the bytes decide, not the name or the header.`,
    {
      members: { detected: detected?.mime ?? null, supported: IMAGE_TYPES },
    },
  );
}
