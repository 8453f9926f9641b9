import { Problem } from '../problem.ts';

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
