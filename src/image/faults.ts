import { Problem } from '../http/problem.ts';

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

/** One image is over the limit, in bytes. */
export function imageTooLarge(limit: number): Problem {
  return new Problem(
    'image_too_large',
    `The image has more than ${limit} bytes. Scale it down; the model does not see more detail than that.`,
    {
      members: { limit },
    },
  );
}

/** More images than one question may have. */
export function tooManyImages(limit: number): Problem {
  return new Problem('too_many_images', `One question may have at most ${limit} images. Ask in several.`, {
    members: { limit },
  });
}
