import type { Dimensions, Image, ImageType } from './image.ts';

/**
 * Removes everything from an image that does not belong to the picture: EXIF with the GPS position and the thumbnail,
 * XMP, IPTC, maker notes, comments, and bytes after the end. It keeps colour profiles and whatever a decoder needs.
 *
 * @returns the image in pieces, in order. They share the image's memory, except for a few bytes where a size or a flag
 * has changed. An image without metadata is one piece: its own bytes.
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

/** What answers and the log say about an image that was sent. `bytes` is its size without the removed metadata. */
export interface SentImage extends Dimensions {
  readonly type: ImageType;
  readonly bytes: number;
}

/** Describes an image as the model gets it, without its metadata. */
export function describeSent({ type, width, height, bytes, cuts }: Image): SentImage {
  const cut = cuts.reduce((sum, { start, end, instead }) => sum + end - start - (instead?.length ?? 0), 0);
  return { type, width, height, bytes: bytes.length - cut };
}
