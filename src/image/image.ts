/** The image types that the model accepts: https://platform.openai.com/docs/guides/images-vision#image-input-requirements */
export const IMAGE_TYPES = ['image/png', 'image/jpeg', 'image/webp', 'image/gif'] as const;

/** MIME type of a checked image, told from its bytes. */
export type ImageType = (typeof IMAGE_TYPES)[number];

/** Width and height in pixels, as stored; an EXIF orientation is not applied. */
export interface Dimensions {
  readonly width: number;
  readonly height: number;
}

/** An image that passed every check. Its bytes are held once, here. */
export interface Image extends Dimensions {
  readonly type: ImageType;
  readonly bytes: Buffer;
}
