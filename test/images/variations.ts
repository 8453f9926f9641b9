import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { insert, pngChunk, still } from './still.ts';

/** An image with one change to its structure. Decoders may accept or reject it. */
export interface Variation {
  readonly name: string;
  readonly bytes: Buffer;
}

/** A part of an image's structure: a segment, a chunk, a block. */
interface Part {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

type Edit = (image: Buffer, part: Part) => Buffer;

/** Makes well over 500 images of the four formats, each with one edit of one part. */
export async function variations(): Promise<Variation[]> {
  const png = await still('image/png', 64, 48);
  const svg = sharp(png);
  const jpegs = {
    baseline: await still('image/jpeg', 64, 48),
    progressive: await svg.clone().jpeg({ progressive: true }).toBuffer(),
    grey: await svg.clone().greyscale().jpeg().toBuffer(),
    'four colours': await svg.clone().toColourspace('cmyk').jpeg().toBuffer(),
    'EXIF and profile': await svg
      .clone()
      .withIccProfile('p3')
      .withExif({ IFD0: { Artist: 'nobody' } })
      .jpeg()
      .toBuffer(),
  };
  const pngs = {
    colour: png,
    palette: await svg.clone().png({ palette: true }).toBuffer(),
    interlaced: await svg.clone().greyscale().png({ progressive: true }).toBuffer(),
  };
  const gifs = {
    opaque: await still('image/gif', 64, 48),
    transparent: await svg.clone().removeAlpha().ensureAlpha(0).gif().toBuffer(),
  };
  const webps = {
    lossy: await still('image/webp', 64, 48),
    lossless: await svg.clone().webp({ lossless: true }).toBuffer(),
    transparent: await svg.clone().removeAlpha().ensureAlpha(0.5).webp().toBuffer(),
    'EXIF and profile': await svg
      .clone()
      .withIccProfile('p3')
      .withExif({ IFD0: { Artist: 'nobody' } })
      .webp()
      .toBuffer(),
    'one frame': oneFrame(await still('image/webp', 64, 48)),
  };
  return [
    ...vary('JPEG', jpegs, jpegParts, JPEG_EDITS),
    ...vary('PNG', pngs, pngParts, PNG_EDITS),
    ...pngHeaders(),
    ...vary('GIF', gifs, gifParts, GIF_EDITS),
    ...vary('WebP', webps, webpParts, WEBP_EDITS),
  ];
}

function vary(
  format: string,
  images: Readonly<Record<string, Buffer>>,
  partsOf: (image: Buffer) => Part[],
  edits: Readonly<Record<string, Edit>>,
): Variation[] {
  return Object.entries(images).flatMap(([kind, image]) => {
    const edited = partsOf(image).flatMap((part) =>
      Object.entries(edits).map(([edit, apply]) => ({
        name: `${format}, ${kind}: ${edit}, ${part.name}`,
        bytes: apply(image, part),
      })),
    );
    return [{ name: `${format}, ${kind}: as it is`, bytes: image }].concat(edited);
  });
}

function before(hex: string): Edit {
  return (image, { start }) => insert(image, start, Buffer.from(hex, 'hex'));
}

function without(image: Buffer, { start, end }: Part): Buffer {
  return Buffer.concat([image.subarray(0, start), image.subarray(end)]);
}

function twice(image: Buffer, { start, end }: Part): Buffer {
  return insert(image, start, image.subarray(start, end));
}

/** Changes the byte at an offset in a part. */
function changed(offset: number, change: (byte: number) => number): Edit {
  return (image, { start }) => {
    const copy = Buffer.from(image);
    copy[start + offset] = change(copy[start + offset] ?? 0);
    return copy;
  };
}

const JPEG_EDITS: Readonly<Record<string, Edit>> = {
  'text before': before('68656c6c6f'),
  'zero before': before('00'),
  'line feed before': before('0a'),
  'FF00 before': before('ff00'),
  'restart marker before': before('ffd3'),
  'TEM before': before('ff01'),
  'fill bytes before': before('ffffff'),
  'comment before': before('fffe000568656c'),
  'comment of length 0 before': before('fffe0000'),
  'comment one short before': before('fffe000468656c'),
  'Adobe one short before': before('ffee000d41646f626500640000000001'),
  'unknown marker before': before('ff02'),
  'reserved segment before': before('fff00002'),
  'second start before': before('ffd8'),
  removed: without,
  twice,
  'length 0': (image, part) => changed(2, () => 0)(changed(3, () => 0)(image, part), part),
  'length one short': changed(3, (byte) => byte - 1),
  'length one long': changed(3, (byte) => byte + 1),
  'first byte 12': changed(4, () => 12),
  'first byte 16': changed(4, () => 16),
  'first byte 4': changed(4, () => 4),
  'lossless marker': changed(1, () => 0xc3),
  'hierarchical marker': changed(1, () => 0xc5),
  'arithmetic lossless marker': changed(1, () => 0xcb),
  'extended marker': changed(1, (marker) => (marker === 0xc0 ? 0xc1 : marker)),
};

/** The segments up to the first scan. */
export function jpegParts(image: Buffer): Part[] {
  const parts: Part[] = [];
  let at = 2;
  for (let marker = 0; marker !== 0xda;) {
    marker = image.readUInt8(at + 1);
    const end = at + 2 + image.readUInt16BE(at + 2);
    parts.push({ name: `${marker.toString(16)} at ${at}`, start: at, end });
    at = end;
  }
  return parts;
}

const PNG_EDITS: Readonly<Record<string, Edit>> = {
  'text before': (image, { start }) => insert(image, start, pngChunk('tEXt', Buffer.from('Title\0a'))),
  'unknown chunk before': (image, { start }) => insert(image, start, pngChunk('abCd', Buffer.alloc(3))),
  'unknown critical chunk before': (image, { start }) => insert(image, start, pngChunk('ABCD', Buffer.alloc(3))),
  'empty image data before': (image, { start }) => insert(image, start, pngChunk('IDAT', Buffer.alloc(0))),
  'animation of two frames before': (image, { start }) =>
    insert(image, start, pngChunk('acTL', Buffer.from('0000000200000000', 'hex'))),
  'stray zero before': before('00'),
  removed: without,
  twice,
  'wrong checksum': (image, { end }) => changed(-1, (byte) => byte ^ 1)(image, { name: '', start: end, end }),
  'length one long': changed(3, (byte) => byte + 1),
  'length over 31 bits': changed(0, () => 0x80),
  'type in small letters': retyped((type) => type.toLowerCase()),
  'type with a digit': retyped((type) => `${type.slice(0, 3)}1`),
};

function retyped(change: (type: string) => string): Edit {
  return (image, { start, end }) => {
    const chunk = pngChunk(change(image.toString('latin1', start + 4, start + 8)), image.subarray(start + 8, end - 4));
    return Buffer.concat([image.subarray(0, start), chunk, image.subarray(end)]);
  };
}

export function pngParts(image: Buffer): Part[] {
  const parts: Part[] = [];
  for (let at = 8; at < image.length;) {
    const end = at + 12 + image.readUInt32BE(at);
    parts.push({ name: `${image.toString('latin1', at + 4, at + 8)} at ${at}`, start: at, end });
    at = end;
  }
  return parts;
}

/** PNGs with many different headers, each with more image data than the header requires. */
function pngHeaders(): Variation[] {
  const data = pngChunk('IDAT', deflateSync(Buffer.alloc(400)));
  const palette = pngChunk('PLTE', Buffer.alloc(6));
  const end = pngChunk('IEND', Buffer.alloc(0));
  const made: Variation[] = [];
  const make = (name: string, fields: readonly number[], chunks: readonly Buffer[]): void => {
    const header = pngChunk('IHDR', Buffer.from([0, 0, 0, 4, 0, 0, 0, 4, ...fields]));
    const signature = Buffer.from('89504e470d0a1a0a', 'hex');
    made.push({ name: `PNG header: ${name}`, bytes: Buffer.concat([signature, header, ...chunks]) });
  };
  for (const colour of [0, 1, 2, 3, 4, 5, 6, 7, 9])
    for (const depth of [0, 1, 2, 3, 4, 8, 9, 16, 32])
      for (const chunks of [
        [data, end],
        [palette, data, end],
      ])
        make(`colour type ${colour}, ${depth} bits, ${chunks.length} chunks`, [depth, colour, 0, 0, 0], chunks);
  for (const value of [1, 2, 64, 255])
    for (const field of [2, 3, 4]) {
      const fields = [8, 2, 0, 0, 0];
      fields[field] = value;
      make(`field ${field} is ${value}`, fields, [data, end]);
    }
  return made;
}

const GIF_EDITS: Readonly<Record<string, Edit>> = {
  'zero before': before('00'),
  'text before': before('68656c6c6f'),
  'comment before': before('21fe02686900'),
  'loop before': before('21ff0b4e45545343415045322e300301000000'),
  'plain text before': before('21010c000000000100010001010000014100'),
  removed: without,
  twice,
  'cut off before': (image, { start }) => image.subarray(0, start),
  'zeros instead': (image, { start }) => Buffer.concat([image.subarray(0, start), Buffer.alloc(20)]),
  'half of it only': (image, { start, end }) => image.subarray(0, Math.floor((start + end) / 2)),
  'first byte changed': changed(0, (byte) => byte ^ 0x40),
};

/** The graphic control extension if there is one, the picture, and the trailer. */
export function gifParts(image: Buffer): Part[] {
  const colours = 13 + 3 * 2 ** ((image.readUInt8(10) & 7) + 1);
  const control = image.indexOf(Buffer.from('21f904', 'hex'));
  const picture = image.indexOf(Buffer.from('2c00000000', 'hex'), colours);
  const trailer = image.length - 1;
  return [
    ...(control >= colours ? [{ name: 'control', start: control, end: control + 8 }] : []),
    { name: 'picture', start: picture, end: trailer },
    { name: 'trailer', start: trailer, end: trailer + 1 },
  ];
}

const WEBP_EDITS: Readonly<Record<string, Edit>> = {
  'unknown chunk before': riff(before('4a554e4b020000006869')),
  'EXIF before': riff(before('45584946020000006869')),
  'XMP before': riff(before('584d5020020000006869')),
  'transparency before': on(/^VP8[ LX]/, riff(before('414c5048020000000000'))),
  'stray zero before': riff(before('00')),
  removed: riff(without),
  twice: riff(twice),
  'removed, with the old RIFF size': without,
  'length one long': changed(4, (byte) => byte + 1),
  'length one short': on(
    /^(?!ALPH)/,
    changed(4, (byte) => byte - 1),
  ),
  'length over the end': changed(7, () => 1),
  'first byte changed': on(
    /^(?!ALPH)/,
    changed(8, (byte) => byte ^ 2),
  ),
  'version changed': on(
    /^(?!ALPH)/,
    changed(12, (byte) => byte ^ 0xe0),
  ),
  'other canvas': on(
    /^VP8X/,
    changed(12, (byte) => byte ^ 4),
  ),
  'other type': changed(0, (byte) => byte ^ 0x20),
  'four bytes after': riff((image, { end }) => insert(image, end, Buffer.alloc(4))),
};

/** Applies an edit only to some parts. In the others, it would change only pixels, which checkImage does not decode. */
function on(names: RegExp, edit: Edit): Edit {
  return (image, part) => (names.test(part.name) ? edit(image, part) : image);
}

/** Applies an edit, and then updates the size in the RIFF header. */
function riff(edit: Edit): Edit {
  return (image, part) => {
    const edited = Buffer.from(edit(image, part));
    edited.writeUInt32LE(edited.length - 8, 4);
    return edited;
  };
}

export function webpParts(image: Buffer): Part[] {
  const parts: Part[] = [];
  for (let at = 12; at < image.length;) {
    const length = image.readUInt32LE(at + 4);
    const end = at + 8 + length + (length % 2);
    parts.push({ name: `${image.toString('latin1', at, at + 4)} at ${at}`, start: at, end });
    at = end;
  }
  return parts;
}

/** Turns a WebP of a single chunk into an animation with that chunk as its only frame. */
export function oneFrame(webp: Buffer): Buffer {
  const frame = webp.subarray(12);
  const edges = Buffer.alloc(6);
  const picture = 20;
  edges.writeUIntLE((webp.readUInt16LE(picture + 6) & 0x3fff) - 1, 0, 3);
  edges.writeUIntLE((webp.readUInt16LE(picture + 8) & 0x3fff) - 1, 3, 3);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(16 + frame.length);
  const made = Buffer.concat([
    webp.subarray(0, 12),
    Buffer.from('565038580a00000002000000', 'hex'),
    edges,
    Buffer.from('414e494d06000000ffffffff0000', 'hex'),
    Buffer.from('ANMF'),
    size,
    Buffer.alloc(6),
    edges,
    Buffer.from('64000000', 'hex'),
    frame,
  ]);
  made.writeUInt32LE(made.length - 8, 4);
  return made;
}
