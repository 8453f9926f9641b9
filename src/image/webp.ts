import { readOrientation } from './exif.ts';
import { animated, corrupt } from './faults.ts';
import type { Cut, Dimensions } from './image.ts';
import { Cuts, STEPS_PER_PAUSE, type Walk } from './walk.ts';

/** https://developers.google.com/speed/webp/docs/riff_container */
const RIFF_HEADER_BYTES = 12;
const CHUNK_HEADER_BYTES = 8;
const CANVAS_AT = RIFF_HEADER_BYTES + CHUNK_HEADER_BYTES;
const CANVAS_BYTES = 10;
const ANIMATION_BYTES = 6;
/** The length of an ANMF chunk before the chunks of its frame. */
const FRAME_BYTES = 16;
/** Flags of a VP8X chunk: an animation; EXIF and XMP; reserved bits. */
const ANIMATION = 0x02;
const METADATA = 0x0c;
const RESERVED = 0xc1;
/** A picture stores each dimension in 14 bits, so decoders show no larger canvas. */
const MAX_DIMENSION = 2 ** 14;

const VP8X = chunkType('VP8X');
const VP8 = chunkType('VP8 ');
const VP8L = chunkType('VP8L');
const ALPH = chunkType('ALPH');
const ANIM = chunkType('ANIM');
const ANMF = chunkType('ANMF');
const ICCP = chunkType('ICCP');
const EXIF = chunkType('EXIF');

/**
 * Walks a WebP's chunks within the size in its RIFF header, as strictly as libwebp's demuxer. It cuts out everything
 * after them.
 * @throws {Problem} `corrupt_image` or `animated_image`
 */
export function* walkWebp(bytes: Buffer): Walk {
  const end = CHUNK_HEADER_BYTES + bytes.readUInt32LE(4);
  if (end > bytes.length) throw cutOff();
  const firstEnd = endOfChunk(bytes, RIFF_HEADER_BYTES, end);
  if (bytes.readUInt32LE(RIFF_HEADER_BYTES) === VP8X) return yield* walkExtended(bytes, firstEnd, end);

  const picture = readPicture(bytes, RIFF_HEADER_BYTES);
  if (firstEnd < end) endOfChunk(bytes, firstEnd, end);
  const cuts = new Cuts('WebP');
  cuts.add(firstEnd, end);
  return { ...picture, orientation: 1, cuts: withSizes(bytes, end, cuts.list) };
}

/** Walks the extended format: a canvas, and chunks with one picture, which may be the only frame of an animation. */
function* walkExtended(bytes: Buffer, canvasEnd: number, end: number): Walk {
  const { width, height, isAnimation } = readCanvas(bytes);
  const cuts = new Cuts('WebP');
  cuts.add(CANVAS_AT + CANVAS_BYTES, canvasEnd);
  let picture: Dimensions | undefined;
  let frame: number | undefined;
  let orientation: number | undefined;
  let isAnnounced = false;
  let hasProfile = false;
  let previous = VP8X;
  for (let at = canvasEnd, step = 1; at < end; step += 1) {
    if (step % STEPS_PER_PAUSE === 0) yield;
    const next = endOfChunk(bytes, at, end);
    const type = bytes.readUInt32LE(at);
    const length = bytes.readUInt32LE(at + 4);
    if (previous === ALPH && type !== VP8) throw outOfPlace();
    if (type === VP8 || type === VP8L || type === ALPH) {
      // The picture of an animation must be inside its frame.
      if (picture || (isAnnounced && previous !== ANMF && previous !== ALPH)) throw outOfPlace();
      if (type !== ALPH) picture = readPicture(bytes, at);
    } else if (type === ANMF) {
      if (picture && frame !== undefined) throw animated('WebP');
      if (!isAnimation || !isAnnounced || frame !== undefined || length < FRAME_BYTES) throw outOfPlace();
      frame = at;
    } else if (type === ANIM && !isAnnounced) {
      if (next - at < CHUNK_HEADER_BYTES + ANIMATION_BYTES) throw outOfPlace();
      isAnnounced = true;
    } else if (type === ICCP && !hasProfile) {
      hasProfile = true;
    } else {
      if (type === VP8X || previous === ANMF) throw outOfPlace();
      const data = at + CHUNK_HEADER_BYTES;
      if (type === EXIF) orientation ??= readOrientation(bytes.subarray(data, data + length));
      cuts.add(at, next);
    }
    previous = type;
    at = type === ANMF ? at + CHUNK_HEADER_BYTES + FRAME_BYTES : next;
  }
  if (!picture || (isAnimation && frame === undefined)) throw corrupt('The WebP has no picture.');
  checkPlace(bytes, picture, { width, height }, isAnimation, frame);
  return { width, height, orientation: orientation ?? 1, cuts: withSizes(bytes, end, cuts.list, frame) };
}

/** Checks that a still picture has the size of its canvas, or that a frame lies inside it. */
function checkPlace(
  bytes: Buffer,
  picture: Dimensions,
  canvas: Dimensions,
  isAnimation: boolean,
  frame?: number,
): void {
  // Offsets are in units of two pixels.
  const x = frame === undefined ? 0 : 2 * bytes.readUIntLE(frame + CHUNK_HEADER_BYTES, 3);
  const y = frame === undefined ? 0 : 2 * bytes.readUIntLE(frame + CHUNK_HEADER_BYTES + 3, 3);
  const right = x + picture.width;
  const bottom = y + picture.height;
  if (isAnimation ? right > canvas.width || bottom > canvas.height : right !== canvas.width || bottom !== canvas.height)
    throw corrupt('The WebP has a picture of another size than its canvas.');
}

/** Adds the changes that the cuts require: the sizes of the file and of a frame, and the flags for metadata. */
function withSizes(bytes: Buffer, end: number, inside: readonly Cut[], frame?: number): readonly Cut[] {
  const behind = end < bytes.length ? [{ start: end, end: bytes.length }] : [];
  if (inside.length === 0) return behind;
  const all = [withSize(bytes, 0, inside), ...inside, ...behind];
  if (bytes.readUInt32LE(RIFF_HEADER_BYTES) === VP8X) {
    const header = Buffer.from(bytes.subarray(RIFF_HEADER_BYTES, CANVAS_AT + 1));
    header.writeUInt32LE(CANVAS_BYTES, 4);
    header.writeUInt8(header.readUInt8(CHUNK_HEADER_BYTES) & ~METADATA, CHUNK_HEADER_BYTES);
    all.push({ start: RIFF_HEADER_BYTES, end: CANVAS_AT + 1, instead: header });
  }
  if (frame !== undefined) all.push(withSize(bytes, frame, inside));
  return all.toSorted((a, b) => a.start - b.start);
}

/** Makes the cut that replaces the size of a chunk with the size after all cuts. */
function withSize(bytes: Buffer, chunk: number, cuts: readonly Cut[]): Cut {
  const size = bytes.readUInt32LE(chunk + 4);
  const start = chunk + CHUNK_HEADER_BYTES;
  const end = start + size;
  const left = cuts.reduce((sum, cut) => sum - Math.max(0, Math.min(cut.end, end) - Math.max(cut.start, start)), size);
  const instead = Buffer.alloc(4);
  instead.writeUInt32LE(left);
  return { start: chunk + 4, end: chunk + 8, instead };
}

/** The end of the chunk that begins here, including its padding. */
function endOfChunk(bytes: Buffer, at: number, end: number): number {
  if (at + CHUNK_HEADER_BYTES > end) throw cutOff();
  const length = bytes.readUInt32LE(at + 4);
  const next = at + CHUNK_HEADER_BYTES + length + (length % 2);
  if (next > end) throw cutOff();
  return next;
}

function readCanvas(bytes: Buffer): Dimensions & { readonly isAnimation: boolean } {
  if (bytes.readUInt32LE(RIFF_HEADER_BYTES + 4) < CANVAS_BYTES) throw noDimensions();
  const flags = bytes.readUInt8(CANVAS_AT);
  const width = bytes.readUIntLE(CANVAS_AT + 4, 3) + 1;
  const height = bytes.readUIntLE(CANVAS_AT + 7, 3) + 1;
  if (flags & RESERVED || width > MAX_DIMENSION || height > MAX_DIMENSION) throw noDimensions();
  return { width, height, isAnimation: (flags & ANIMATION) !== 0 };
}

/** Reads the dimensions of the picture in the chunk that begins here. */
function readPicture(bytes: Buffer, at: number): Dimensions {
  const type = bytes.readUInt32LE(at);
  const start = at + CHUNK_HEADER_BYTES;
  const data = bytes.subarray(start, start + bytes.readUInt32LE(at + 4));
  if (type === VP8) return readLossy(data);
  if (type === VP8L) return readLossless(data);
  throw corrupt('The WebP does not begin with a picture.');
}

/** Reads a VP8 frame header. It must be of a shown key frame with a known profile: RFC 6386, section 9.1. */
function readLossy(data: Buffer): Dimensions {
  if (data.length < 10 || data.readUIntBE(3, 3) !== 0x9d012a) throw noDimensions();
  const head = data.readUIntLE(0, 3);
  const isInter = (head & 1) !== 0;
  const profile = (head >> 1) & 7;
  const isShown = ((head >> 4) & 1) !== 0;
  if (isInter || profile > 3 || !isShown || head >> 5 >= data.length) throw corrupt('The WebP has a damaged picture.');
  const width = data.readUInt16LE(6) & 0x3fff;
  const height = data.readUInt16LE(8) & 0x3fff;
  if (width === 0 || height === 0) throw noDimensions();
  return { width, height };
}

/** Reads a VP8L header: width and height minus 1, in 14 bits each, and a version: RFC 9649, section 3.4. */
function readLossless(data: Buffer): Dimensions {
  if (data.length < 5 || data[0] !== 0x2f) throw noDimensions();
  const bits = data.readUInt32LE(1);
  if (bits >>> 29 !== 0) throw corrupt('The WebP has an unknown version.');
  return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
}

/** Reads the four letters of a chunk's type as a number. */
function chunkType(letters: string): number {
  return Buffer.from(letters, 'latin1').readUInt32LE();
}

function outOfPlace() {
  return corrupt('The WebP has its chunks in an order that no decoder accepts.');
}

function noDimensions() {
  return corrupt('The WebP has no readable dimensions.');
}

function cutOff() {
  return corrupt('The WebP is cut off before its end.');
}
