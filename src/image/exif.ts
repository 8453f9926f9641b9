/** The number of the orientation tag, and that of the type "SHORT": EXIF 2.32, table 4. */
const ORIENTATION_TAG = 0x0112;
const SHORT = 3;
const ENTRY_BYTES = 12;
/** The bytes before the TIFF header in a JPEG, and often in a WebP. */
const PREFIX = 'Exif\0\0';

/** Whether the data of a JPEG's APP1 segment is EXIF. It may also be XMP. */
export function isExif(data: Buffer): boolean {
  return data.length > PREFIX.length && data.toString('latin1', 0, PREFIX.length) === PREFIX;
}

/** Reads the orientation in the first directory of an EXIF block: 1 (upright) to 8. Returns 1 if it is not readable. */
export function readOrientation(exif: Buffer): number {
  const tiff = isExif(exif) ? exif.subarray(PREFIX.length) : exif;
  const order = tiff.toString('latin1', 0, 4);
  if (order !== 'II*\0' && order !== 'MM\0*') return 1;
  const short = (at: number): number => {
    if (at + 2 > tiff.length) return 0;
    return order === 'II*\0' ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at);
  };
  const long = (at: number): number =>
    order === 'II*\0' ? short(at) + 0x10000 * short(at + 2) : 0x10000 * short(at) + short(at + 2);
  const directory = long(4);
  const count = short(directory);
  for (let entry = 0; entry < count; entry += 1) {
    const at = directory + 2 + entry * ENTRY_BYTES;
    if (short(at) !== ORIENTATION_TAG) continue;
    const value = short(at + 8);
    return short(at + 2) === SHORT && value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}
