import { IMAGE_TYPES, type ImageType } from './image.ts';

const SIGNATURE_BYTES = 12;
/** `file-type` is given no more: it follows what a file says of itself, and a long crafted file would hold the event loop. */
const SNIFF_BYTES = 4100;
/** An SVG may begin with comments; its first element is looked for this far. */
const SVG_BYTES = 16_384;

/** A JPEG needs no more than its first marker, as decoders skip stray bytes behind it; with F7 it is a JPEG-LS. */
const SIGNATURES: Record<ImageType, (start: string) => boolean> = {
  'image/png': (start) => start.startsWith('\x89PNG\r\n\x1a\n'),
  'image/jpeg': (start) => start.startsWith('\xff\xd8') && !start.startsWith('\xff\xf7', 2),
  'image/webp': (start) => start.startsWith('RIFF') && start.startsWith('WEBP', 8),
  'image/gif': (start) => start.startsWith('GIF'),
};

/** MIME types by brand, the first that a file has: https://nokiatech.github.io/heif/technical.html, AV1 image file format 6.3 */
const HEIF_BRANDS: readonly (readonly [mime: string, brands: readonly string[]])[] = [
  ['image/avif', ['avif']],
  ['image/avif-sequence', ['avis']],
  ['image/heic', ['heic', 'heix', 'heim', 'heis']],
  ['image/heic-sequence', ['hevc', 'hevx', 'hevm', 'hevs']],
  ['image/heif', ['mif1', 'mif2']],
  ['image/heif-sequence', ['msf1']],
];
/** Of these, any image of the family may have one as its major brand; the others then say which it is. */
const GENERAL_BRANDS = new Set(['mif1', 'mif2', 'msf1']);
/** Classic and large TIFFs, little and big endian. */
const TIFF_SIGNATURES = new Set(['II*\0', 'MM\0*', 'II+\0', 'MM\0+']);

/** The type of an image that the model takes, by its first bytes. */
export function supportedType(bytes: Buffer): ImageType | undefined {
  const start = bytes.toString('latin1', 0, SIGNATURE_BYTES);
  return IMAGE_TYPES.find((type) => SIGNATURES[type](start));
}

/** The MIME type of anything else, where it can be told. `file-type` is loaded for this alone: few send something else. */
export async function detectType(bytes: Buffer): Promise<string | undefined> {
  const known = heifType(bytes) ?? svgType(bytes);
  if (known) return known;
  const { fileTypeFromBuffer } = await import('file-type');
  const detected = await fileTypeFromBuffer(bytes.subarray(0, SNIFF_BYTES));
  // It tells a TIFF by its directory, which may lie anywhere.
  return detected?.mime ?? (TIFF_SIGNATURES.has(bytes.toString('latin1', 0, 4)) ? 'image/tiff' : undefined);
}

/** `file-type` goes by the major brand alone, and takes those that it does not know for a video. */
function heifType(bytes: Buffer): string | undefined {
  if (bytes.toString('latin1', 4, 8) !== 'ftyp') return undefined;
  const end = Math.min(bytes.readUInt32BE(0), SNIFF_BYTES, bytes.length);
  const major = bytes.toString('latin1', 8, 12);
  const brands = [major];
  // Behind the major brand stands its version, four bytes too.
  for (let at = 16; at + 4 <= end; at += 4) brands.push(bytes.toString('latin1', at, at + 4));
  const found =
    HEIF_BRANDS.find(([, names]) => names.includes(major) && !GENERAL_BRANDS.has(major)) ??
    HEIF_BRANDS.find(([, names]) => brands.some((brand) => names.includes(brand)));
  return found?.[0];
}

/** An SVG has no signature. This looks for its first element, behind declarations and comments. */
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

/** UTF-16 where a byte order mark says so. A mark of UTF-8 is skipped like other white space. */
function decodeText(bytes: Buffer): string {
  const mark = bytes.toString('latin1', 0, 2);
  return new TextDecoder(mark === '\xff\xfe' ? 'utf-16le' : mark === '\xfe\xff' ? 'utf-16be' : 'utf-8').decode(bytes);
}
