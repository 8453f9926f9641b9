import type { Dimensions, Image, ImageType } from './image.ts';

/**
 * Leaves out of an image what is no part of the picture: EXIF with its GPS position and thumbnail, XMP, IPTC, maker notes,
 * comments, and bytes behind the end. Colour profiles stay, and so does all that a decoder needs.
 *
 * @returns the image in pieces, in their order. They share the image's memory, but for a few bytes where a size or a flag
 * had to change. An image without metadata is one piece: its own bytes.
 */
export function stripMetadata({ bytes, cuts }: Pick<Image, 'bytes' | 'cuts'>): readonly Buffer[] {
  if (cuts.length === 0) return [bytes];
  const pieces: Buffer[] = [];
  let kept = 0;
  for (const { start, end, instead } of cuts) {
    if (start > kept) pieces.push(bytes.subarray(kept, start));
    if (instead) pieces.push(instead);
    kept = end;
  }
  if (kept < bytes.length) pieces.push(bytes.subarray(kept));
  return pieces;
}

/** What an answer and the log say of an image. It is the image as it was sent, so its bytes are those that were left. */
export interface SentImage extends Dimensions {
  readonly type: ImageType;
  readonly bytes: number;
}

export function describeSent({ type, width, height, bytes, cuts }: Image): SentImage {
  const cut = cuts.reduce((sum, { start, end, instead }) => sum + end - start - (instead?.length ?? 0), 0);
  return { type, width, height, bytes: bytes.length - cut };
}
