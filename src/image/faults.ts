import { Problem } from '../http/problem.ts';
import type { Dimensions } from './image.ts';

/**
 * Makes the problem of an image that decoders cannot show, such as one that is cut off.
 * @param what - a sentence that says what is wrong
 */
export function corrupt(what: string): Problem {
  return new Problem('corrupt_image', `${what} Export or upload the image again.`);
}

/**
 * Makes the problem of an image with more than one frame.
 * @param format - the format's common name, such as `GIF`
 */
export function animated(format: string): Problem {
  return new Problem(
    'animated_image',
    `This ${format} is animated, and the model would see one frame only. ` +
      'Send the frame that you mean as a still image.',
  );
}

/** Makes the problem of an upload without bytes. */
export function noBytes(): Problem {
  return new Problem(
    'empty_image',
    'The image has no bytes. Check that the file is not empty, and that the client reads it.',
  );
}

/**
 * Makes the problem of bytes that are not an image of a supported type.
 * @param detected - the MIME type that the bytes look like; undefined if it is unknown
 * @param supported - the supported MIME types
 */
export function unsupportedType(detected: string | undefined, supported: readonly string[]): Problem {
  const what = detected ? `This is ${detected}` : 'These bytes are not an image of a known type';
  const names = supported.map((type) => type.slice('image/'.length).toUpperCase());
  return new Problem(
    'unsupported_image_type',
    `${what}. Send a ${names.slice(0, -1).join(', ')} or ${names.at(-1)}. ` +
      'Only the bytes count, not the file name or the Content-Type.',
    { members: { detected: detected ?? null, supported } },
  );
}

/**
 * Makes the problem of an image with too many bytes.
 * @param limit - in bytes
 */
export function imageTooLarge(limit: number): Problem {
  return new Problem(
    'image_too_large',
    `The image has more than ${limit.toLocaleString('en')} bytes. ` +
      'Scale it down; the model does not see more detail than that.',
    { members: { limit } },
  );
}

/**
 * Makes the problem of an image with too many pixels.
 * @param maxPixels - the limit of width times height
 * @param limit - the limit of an image's bytes, which the problem always names
 */
export function tooManyPixels({ width, height }: Dimensions, maxPixels: number, limit: number): Problem {
  return new Problem(
    'image_too_large',
    `The image has ${width} x ${height} pixels, and the limit is ${maxPixels} pixels. ` +
      'Scale it down; the model does not see more detail than that.',
    { members: { limit, maxPixels } },
  );
}

/**
 * Makes the problem of an image whose decoding would take too much memory.
 * @param limit - the limit of an image's bytes, which the problem always names
 */
export function needsTooMuchMemory(limit: number): Problem {
  return new Problem(
    'image_too_large',
    'There is not enough memory to turn or convert the image. Scale it down, or send it as an upright JPEG or PNG.',
    { members: { limit } },
  );
}

/** Makes the problem of a question with too many images. */
export function tooManyImages(limit: number): Problem {
  return new Problem('too_many_images', `One question may have at most ${limit} images. Send several requests.`, {
    members: { limit },
  });
}
