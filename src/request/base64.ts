import { setImmediate } from 'node:timers/promises';

/** A multiple of 4, so that each piece is whole in itself. Decoding it takes well under a millisecond. */
const PIECE_BYTES = 512 * 1024;
const PADDING = 0x3d;

/** How many bytes a base64 text stands for, told from its length and padding alone. */
export function decodedLength(base64: Buffer): number {
  return Math.floor(((base64.length - paddingOf(base64)) * 3) / 4);
}

/**
 * Decodes base64 piece by piece, letting others have a turn in between.
 * @returns undefined where it is not base64 (RFC 4648, either alphabet, padding optional)
 */
export async function decodeBase64(base64: Buffer): Promise<Buffer | undefined> {
  if (!isWholeGroups(base64)) return undefined;
  const bytes = Buffer.allocUnsafeSlow(decodedLength(base64));
  let written = 0;
  for (let at = 0; at < base64.length; at += PIECE_BYTES) {
    const piece = base64.subarray(at, at + PIECE_BYTES);
    const length = decodedLength(piece);
    // Node skips what is no base64, so a piece that comes out short had something else in it.
    if (bytes.write(piece.toString('latin1'), written, length, 'base64') < length) return undefined;
    written += length;
    if (at + PIECE_BYTES < base64.length) await setImmediate();
  }
  return written === bytes.length ? bytes : undefined;
}

/** Padding fills the last group up to four; without it, one letter alone would stand for six bits. */
function isWholeGroups(base64: Buffer): boolean {
  return base64.length % 4 === 0 || (base64.length % 4 > 1 && paddingOf(base64) === 0);
}

function paddingOf(base64: Buffer): number {
  if (base64.at(-1) !== PADDING) return 0;
  return base64.at(-2) === PADDING ? 2 : 1;
}
