import { isExif, readOrientation } from './exif.ts';
import { corrupt } from './faults.ts';
import { JpegDecodable } from './jpeg-decodable.ts';
import { Cuts, STEPS_PER_PAUSE, type Walk } from './walk.ts';

/** Markers: ITU-T T.81, table B.1. */
const TEM = 0x01;
const SOF0 = 0xc0;
const RST0 = 0xd0;
const RST7 = 0xd7;
const EOI = 0xd9;
const SOS = 0xda;
const APP0 = 0xe0;
const APP1 = 0xe1;
const APP2 = 0xe2;
const APP14 = 0xee;
const APP15 = 0xef;
const COM = 0xfe;

const SIGNATURE_BYTES = 2;
const JFIF = 'JFIF\0';
const JFIF_BYTES = 14;
const ADOBE = 'Adobe';
const ADOBE_BYTES = 12;
const ICC_PROFILE = 'ICC_PROFILE\0';

/**
 * Walks a JPEG's segments and scans to its end marker. Like libjpeg-turbo, it skips stray bytes between segments. It
 * cuts out everything after the end marker, where phones append depth maps and videos.
 * @throws {Problem} `corrupt_image`
 */
export function* walkJpeg(bytes: Buffer): Walk {
  const cuts = new Cuts('JPEG');
  const decodable = new JpegDecodable();
  let orientation: number | undefined;
  /** The start of bytes that no decoder needs, up to the next marker. Undefined inside a scan. */
  let behind: number | undefined = SIGNATURE_BYTES;
  let at = SIGNATURE_BYTES;
  for (let step = 1; ; step += 1) {
    if (step % STEPS_PER_PAUSE === 0) yield;
    const found = bytes[at] === 0xff ? at : bytes.indexOf(0xff, at);
    if (found < 0) throw cutOff();
    let start = found;
    // A marker may have any number of fill bytes before it: T.81, B.1.1.2.
    for (; bytes[start + 1] === 0xff; start += 1) if (start % 0x4000 === 0) yield;
    const marker = bytes[start + 1];
    if (marker === undefined) throw cutOff();
    at = start + 2;
    // 0 is an escaped 0xff of a scan, and the others are markers without a segment. Outside a scan, all are stray.
    if (marker <= TEM || (marker >= RST0 && marker <= RST7)) continue;

    if (marker === EOI) {
      if (behind !== undefined) cuts.add(behind, found);
      cuts.add(at, bytes.length);
      return { ...decodable.dimensions, orientation: orientation ?? 1, cuts: cuts.list };
    }
    const isApplication = (marker >= APP0 && marker <= APP15) || marker === COM;
    const length = at + 2 <= bytes.length ? bytes.readUInt16BE(at) : 0;
    // A length of 0 or 1 is invalid, because it includes its own two bytes. Decoders continue after them.
    const end = at + Math.max(length, 2);
    if (decodable.scanned === 'all') {
      // A decoder reads the last scan up to its first marker. After that, it looks only for the end of the image.
      if (marker >= SOF0) behind ??= start;
      if (isApplication && isMarker(bytes, end)) at = end;
      continue;
    }
    if (at + 2 > bytes.length || end > bytes.length) throw cutOff();
    if (behind !== undefined) cuts.add(behind, found);
    if (marker === COM) {
      cuts.add(start, end);
    } else if (isApplication) {
      const data = bytes.subarray(at + 2, end);
      if (marker === APP1 && isExif(data)) orientation ??= readOrientation(data);
      if (!isRendering(marker, data)) cuts.add(start, end, withoutExtras(marker, data));
    } else {
      decodable.take(marker, length, bytes.subarray(at + 2, end));
    }
    at = end;
    behind = marker === SOS ? undefined : end;
  }
}

/** Whether a marker that ends a scan's data begins here. */
function isMarker(bytes: Buffer, at: number): boolean {
  const marker = bytes[at + 1] ?? 0;
  return bytes[at] === 0xff && marker > RST7;
}

/** Whether a decoder needs the whole application segment to show the right colours. */
function isRendering(marker: number, data: Buffer): boolean {
  if (marker === APP0) return data.length === JFIF_BYTES && begins(data, JFIF);
  if (marker === APP14) return data.length === ADOBE_BYTES && begins(data, ADOBE);
  return marker === APP2 && begins(data, ICC_PROFILE);
}

/** Returns a JFIF segment without its thumbnail, or an Adobe segment without extra bytes. Undefined for all others. */
function withoutExtras(marker: number, data: Buffer): Buffer | undefined {
  if (marker === APP0 && begins(data, JFIF) && data.length >= JFIF_BYTES)
    return segment(marker, Buffer.concat([data.subarray(0, JFIF_BYTES - 2), Buffer.alloc(2)]));
  if (marker === APP14 && begins(data, ADOBE) && data.length >= ADOBE_BYTES)
    return segment(marker, data.subarray(0, ADOBE_BYTES));
  return undefined;
}

function segment(marker: number, data: Buffer): Buffer {
  return Buffer.concat([Buffer.of(0xff, marker, 0, data.length + 2), data]);
}

function begins(data: Buffer, name: string): boolean {
  return data.length >= name.length && data.toString('latin1', 0, name.length) === name;
}

function cutOff() {
  return corrupt('The JPEG is cut off before its end.');
}
