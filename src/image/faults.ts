import { Problem } from '../http/problem.ts';
import type { Dimensions } from './image.ts';

/** The right signature, but nothing a decoder could show: cut off, or no readable dimensions. */
export function corrupt(what: string): Problem {
  return new Problem('corrupt_image', `${what} Export or upload the image again.`);
}

/** More frames than one. `format` is the name that people know it by. */
export function animated(format: string): Problem {
  return new Problem(
    'animated_image',
    `This ${format} is animated, and the model would see one frame only. Send the frame that you mean as a still image.`,
  );
}

/** An image that is none yet: an upload of nothing. */
export function noBytes(): Problem {
  return new Problem(
    'empty_image',
    'The image has no bytes. Was it read from a file that is empty, or not read at all?',
  );
}

/** Something else than one of `supported`, which are MIME types; `detected` is another, if it can be told. */
export function unsupportedType(detected: string | undefined, supported: readonly string[]): Problem {
  const what = detected ? `This is ${detected}` : 'These bytes are not an image of a known type';
  const names = supported.map((type) => type.slice('image/'.length).toUpperCase());
  return new Problem(
    'unsupported_image_type',
    `${what}. Send a ${names.slice(0, -1).join(', ')} or ${names.at(-1)}. Only the bytes count, not the file name or the Content-Type.`,
    { members: { detected: detected ?? null, supported } },
  );
}

/** One image is over the limit, in bytes. */
export function imageTooLarge(limit: number): Problem {
  return new Problem(
    'image_too_large',
    `The image has more than ${limit.toLocaleString('en')} bytes. Scale it down; the model does not see more detail than that.`,
    {
      members: { limit },
    },
  );
}

/** One image has more pixels than are handled here, whatever its bytes. `limit` is that of the bytes. */
export function tooManyPixels({ width, height }: Dimensions, maxPixels: number, limit: number): Problem {
  return new Problem(
    'image_too_large',
    `The image has ${width} x ${height} pixels, and at most ${maxPixels} are handled here. Scale it down; the model does not see more detail than that.`,
    { members: { limit, maxPixels } },
  );
}

/** Decoding one image took more memory than it may. */
export function needsTooMuchMemory(limit: number): Problem {
  return new Problem(
    'image_too_large',
    'The image needs more memory to be turned or converted than there is. Scale it down, or send it as an upright JPEG or PNG.',
    { members: { limit } },
  );
}

/** More images than one question may have. */
export function tooManyImages(limit: number): Problem {
  return new Problem('too_many_images', `One question may have at most ${limit} images. Ask in several.`, {
    members: { limit },
  });
}
