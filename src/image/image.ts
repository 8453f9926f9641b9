import type { Settings } from '../config/settings.ts';

/**
 * The image types that the model accepts:
 * https://platform.openai.com/docs/guides/images-vision#image-input-requirements
 */
export const IMAGE_TYPES = ['image/png', 'image/jpeg', 'image/webp', 'image/gif'] as const;

/** The MIME type of a checked image, by its bytes. */
export type ImageType = (typeof IMAGE_TYPES)[number];

/** The image types that the app converts to one of {@link IMAGE_TYPES}. */
export const CONVERTED_TYPES = ['image/heic', 'image/heif', 'image/avif', 'image/tiff'] as const;

/** The MIME type of an image that is converted before it is sent. */
export type ConvertedType = (typeof CONVERTED_TYPES)[number];

/** Whether the app converts images. */
export type ImageSettings = Pick<Settings, 'prepareImages'>;

/** Returns the image types that callers may send. */
export function supportedTypes({ prepareImages }: ImageSettings): readonly string[] {
  return prepareImages ? [...IMAGE_TYPES, ...CONVERTED_TYPES] : IMAGE_TYPES;
}

/** Width and height in pixels. */
export interface Dimensions {
  readonly width: number;
  readonly height: number;
}

/** Bytes from `start` to before `end` that do not belong to the picture. `instead`, if any, takes their place. */
export interface Cut {
  readonly start: number;
  readonly end: number;
  readonly instead?: Buffer;
}

/** What the check found in the structure of an image. */
export interface Structure extends Dimensions {
  /** The EXIF orientation, 1 (upright) to 8. Width and height do not take it into account. */
  readonly orientation: number;
  /** What to leave out so that only the picture remains, in the order of the bytes. */
  readonly cuts: readonly Cut[];
}

/** An image that has passed every check. */
export interface Image extends Structure {
  readonly type: ImageType;
  readonly bytes: Buffer;
}
