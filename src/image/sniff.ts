import { IMAGE_TYPES, type ImageType } from './image.ts';

const SIGNATURE_BYTES = 12;
/** How much of a file `file-type` gets. It follows offsets in it, so a long crafted file would block the event loop. */
const SNIFF_BYTES = 4100;
/** How far to look for the first element of an SVG, which may start with comments. */
const SVG_BYTES = 16_384;

/** The first marker identifies a JPEG, because decoders skip stray bytes after it. With F7 next, it is a JPEG-LS. */
const SIGNATURES: Record<ImageType, (start: string) => boolean> = {
  'image/png': (start) => start.startsWith('\x89PNG\r\n\x1a\n'),
  'image/jpeg': (start) => start.startsWith('\xff\xd8') && !start.startsWith('\xff\xf7', 2),
  'image/webp': (start) => start.startsWith('RIFF') && start.startsWith('WEBP', 8),
  'image/gif': (start) => start.startsWith('GIF'),
};

/**
 * MIME types by brand. The first type of which a file has a brand counts.
 * https://nokiatech.github.io/heif/technical.html, AV1 image file format 6.3
 */
const HEIF_BRANDS: readonly (readonly [mime: string, brands: readonly string[]])[] = [
  ['image/avif', ['avif']],
  ['image/avif-sequence', ['avis']],
  ['image/heic', ['heic', 'heix', 'heim', 'heis']],
  ['image/heic-sequence', ['hevc', 'hevx', 'hevm', 'hevs']],
  ['image/heif', ['mif1', 'mif2']],
  ['image/heif-sequence', ['msf1']],
];
/** Major brands that any image of the family may have. The other brands of the file then say which type it is. */
const GENERAL_BRANDS = new Set(['mif1', 'mif2', 'msf1']);
/** TIFF and BigTIFF, little-endian and big-endian. */
const TIFF_SIGNATURES = new Set(['II*\0', 'MM\0*', 'II+\0', 'MM\0+']);

/** Tells the type of an image by its first bytes. Returns undefined if the model does not accept the type. */
export function supportedType(bytes: Buffer): ImageType | undefined {
  const start = bytes.toString('latin1', 0, SIGNATURE_BYTES);
  return IMAGE_TYPES.find((type) => SIGNATURES[type](start));
}

/** Tells the MIME type of any other bytes, or returns undefined. It loads `file-type` only now, because few need it. */
export async function detectType(bytes: Buffer): Promise<string | undefined> {
  const known = heifType(bytes) ?? svgType(bytes);
  if (known) return known;
  const { fileTypeFromBuffer } = await import('file-type');
  const detected = await fileTypeFromBuffer(bytes.subarray(0, SNIFF_BYTES));
  // file-type recognizes a TIFF by its directory, which may be anywhere in the file.
  return detected?.mime ?? (TIFF_SIGNATURES.has(bytes.toString('latin1', 0, 4)) ? 'image/tiff' : undefined);
}

/** `file-type` looks only at the major brand, and takes unknown ones for a video. */
function heifType(bytes: Buffer): string | undefined {
  if (bytes.toString('latin1', 4, 8) !== 'ftyp') return undefined;
  const end = Math.min(bytes.readUInt32BE(0), SNIFF_BYTES, bytes.length);
  const major = bytes.toString('latin1', 8, 12);
  const brands = [major];
  // The major brand is followed by its version, which has four bytes, too.
  for (let at = 16; at + 4 <= end; at += 4) brands.push(bytes.toString('latin1', at, at + 4));
  const found =
    HEIF_BRANDS.find(([, names]) => names.includes(major) && !GENERAL_BRANDS.has(major)) ??
    HEIF_BRANDS.find(([, names]) => brands.some((brand) => names.includes(brand)));
  return found?.[0];
}

/** An SVG has no signature, so this looks for its first element, after declarations and comments. */
function svgType(bytes: Buffer): string | undefined {
  const text = decodeText(bytes.subarray(0, SVG_BYTES));
  const begins = /\s*(?:(?<svg><(?:!DOCTYPE\s+svg|(?:\w+:)?svg)[\s/>])|(?<declaration><\?)|(?<comment><!--))/iy;
  for (;;) {
    const { svg, declaration, comment } = begins.exec(text)?.groups ?? {};
    if (svg) return 'image/svg+xml';
    const close = declaration ? '?>' : comment ? '-->' : undefined;
    const end = close ? text.indexOf(close, begins.lastIndex) : -1;
    if (!close || end < 0) return undefined;
    begins.lastIndex = end + close.length;
  }
}

/** Decodes UTF-16 if there is a byte order mark for it, otherwise UTF-8. */
function decodeText(bytes: Buffer): string {
  const mark = bytes.toString('latin1', 0, 2);
  return new TextDecoder(mark === '\xff\xfe' ? 'utf-16le' : mark === '\xfe\xff' ? 'utf-16be' : 'utf-8').decode(bytes);
}
