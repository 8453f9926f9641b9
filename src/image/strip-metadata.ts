import type { Image } from './image.ts';

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
