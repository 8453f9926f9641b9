import type { DecoderLimits } from '../config/memory-limit.ts';
import { once } from '../config/once.ts';
import type { Settings } from '../config/settings.ts';
import type { Reservation } from '../http/admission.ts';
import type { Deadline } from '../http/deadline.ts';
import { Problem } from '../http/problem.ts';
import { yieldToOthers } from '../http/event-loop.ts';
import { checkImage } from './check.ts';
import { animated, tooManyPixels, unsupportedType } from './faults.ts';
import { CONVERTED_TYPES, type Dimensions, type Image, supportedTypes } from './image.ts';
import { withImageIndex } from './image-index.ts';
import { detectType, supportedType } from './sniff.ts';

/**
 * More pixels usually mean an attack, and many decoders refuse them. The limit is the one of libvips and sharp:
 * https://sharp.pixelplumbing.com/api-constructor/ (limitInputPixels)
 */
const MAX_PIXELS = 0x3fff ** 2;

/** The time limit and the memory of the request that the images belong to. */
interface Caller {
  readonly deadline: Deadline;
  readonly reservation: Reservation;
}

/**
 * Turns the bytes from a caller into an image for the model: checked, upright, and of a type that the model accepts. It
 * may free the memory of the given bytes, so use only those of the result.
 * @throws {Problem} about the image, or `overloaded`
 */
export type ReadImage = (bytes: Buffer) => Promise<Image>;

/**
 * Reads all images of a request, in order. If there are several, a problem says which image it is about.
 * @throws {Problem} as {@link ReadImage} does, and `empty_image` if there is none
 */
export async function readImages(all: readonly Buffer[], readImage: ReadImage): Promise<readonly Image[]> {
  if (all.length === 0)
    throw new Problem(
      'empty_image',
      'There is no image in the request. Send its bytes as the body, or as a part called image.',
    );
  const images: Image[] = [];
  // One at a time, so that no request decodes more than one image at once.
  for (const [index, bytes] of all.entries())
    images.push(await withImageIndex(index, all.length, async () => readImage(bytes)));
  return images;
}

/** Reads the images of all requests. It loads the decoder for the first image that needs it. */
export class ImageReader {
  readonly #settings: Pick<Settings, 'prepareImages' | 'maxImageBytes'>;
  readonly #decoder;

  constructor(settings: Pick<Settings, 'prepareImages' | 'maxImageBytes'>, limits: DecoderLimits) {
    this.#settings = settings;
    this.#decoder = once(async () => {
      const { Decoder } = await import('./decoder.ts');
      return new Decoder(settings, limits);
    });
  }

  /** Makes the function that reads the images of one request. */
  forRequest(caller: Caller): ReadImage {
    return this.#settings.prepareImages
      ? async (bytes) => this.#prepare(bytes, caller)
      : async (bytes) => ({ ...(await checkImage(bytes)), cuts: [] });
  }

  async #prepare(bytes: Buffer, caller: Caller): Promise<Image> {
    if (bytes.length > 0 && !supportedType(bytes)) return this.#convert(bytes, caller);
    const image = await checkImage(bytes);
    this.#checkPixels(image);
    if (image.orientation === 1 || image.type === 'image/gif') return image;
    return (await this.#decoder()).turn(image.type, image, caller);
  }

  async #convert(bytes: Buffer, caller: Caller): Promise<Image> {
    await yieldToOthers();
    const detected = await detectType(bytes);
    const type = CONVERTED_TYPES.find((each) => each === detected);
    if (type) return (await this.#decoder()).convert(type, bytes, caller);
    if (detected?.endsWith('-sequence'))
      throw animated(detected.slice('image/'.length, -'-sequence'.length).toUpperCase());
    throw unsupportedType(detected, supportedTypes(this.#settings));
  }

  #checkPixels({ width, height }: Dimensions): void {
    if (width * height > MAX_PIXELS) throw tooManyPixels({ width, height }, MAX_PIXELS, this.#settings.maxImageBytes);
  }
}
