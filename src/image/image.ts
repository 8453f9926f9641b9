/** The image types that the model accepts: https://platform.openai.com/docs/guides/images-vision#image-input-requirements */
export const IMAGE_TYPES = ['image/png', 'image/jpeg', 'image/webp', 'image/gif'] as const;

/** MIME type of a checked image, told from its bytes. */
export type ImageType = (typeof IMAGE_TYPES)[number];

/** The image types that become one of these first. */
export const CONVERTED_TYPES = ['image/heic', 'image/heif', 'image/avif', 'image/tiff'] as const;

/** MIME type of an image that is converted before it is sent. */
export type ConvertedType = (typeof CONVERTED_TYPES)[number];

/** Width and height in pixels. */
export interface Dimensions {
  readonly width: number;
  readonly height: number;
}

/** The bytes from `start` to before `end` are no part of the picture. `instead` takes their place, where there is one. */
export interface Cut {
  readonly start: number;
  readonly end: number;
  readonly instead?: Buffer;
}

/** What the structure of an image says about it. */
export interface Structure extends Dimensions {
  /** EXIF orientation, 1 (upright) to 8. Width and height are those before it is applied. */
  readonly orientation: number;
  /** What to leave out so that nothing but the picture remains, in the order of the bytes. Mostly empty, or a few. */
  readonly cuts: readonly Cut[];
}

/** An image that passed every check. Its bytes are held once, here. */
export interface Image extends Structure {
  readonly type: ImageType;
  readonly bytes: Buffer;
}
