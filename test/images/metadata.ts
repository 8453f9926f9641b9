import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { gifParts, jpegParts, oneFrame, pngParts, webpParts } from './variations.ts';
import { insert, pngChunk, still } from './still.ts';

/** An image with one kind of metadata in one place. The metadata contains `secret`, which must be removed. */
export interface WithMetadata {
  readonly name: string;
  readonly bytes: Buffer;
  readonly secret: Buffer;
}

const SECRET_BYTES = 40;

type Wrap = (secret: Buffer) => Buffer;

/** Makes images of the four formats with each kind of metadata in each place where it may be. */
export async function imagesWithMetadata(): Promise<WithMetadata[]> {
  const png = sharp(await still('image/png', 64, 48));
  const clear = png.clone().removeAlpha().ensureAlpha(0.5);
  const jpegs = {
    baseline: await still('image/jpeg', 64, 48),
    progressive: await png.clone().jpeg({ progressive: true }).toBuffer(),
    'grey with a profile': await png.clone().greyscale().withIccProfile('p3').jpeg().toBuffer(),
    'four colours': await png.clone().toColourspace('cmyk').jpeg().toBuffer(),
  };
  const pngs = {
    'transparent with a profile': await clear.clone().withIccProfile('p3').png().toBuffer(),
    palette: await clear.clone().png({ palette: true }).toBuffer(),
    interlaced: await png.clone().greyscale().png({ progressive: true }).toBuffer(),
  };
  const gifs = { opaque: await still('image/gif', 64, 48), transparent: await clear.clone().gif().toBuffer() };
  const lossy = await still('image/webp', 64, 48);
  const webps = {
    lossy,
    lossless: await png.clone().webp({ lossless: true }).toBuffer(),
    'transparent with a profile': await clear.clone().withIccProfile('p3').webp().toBuffer(),
    'one frame': oneFrame(lossy),
  };
  return [
    ...all('JPEG', jpegs, JPEG_KINDS, jpegPlaces),
    ...all('PNG', pngs, PNG_KINDS, pngPlaces),
    ...all('GIF', gifs, GIF_KINDS, gifPlaces),
    ...all('WebP', webps, WEBP_KINDS, webpPlaces),
  ];
}

type Place = readonly [place: string, bytes: Buffer];
type Places = (image: Buffer, metadata: Buffer) => Readonly<Record<string, Buffer>>;

function all(
  format: string,
  images: Readonly<Record<string, Buffer>>,
  kinds: Readonly<Record<string, Wrap>>,
  places: Places,
): WithMetadata[] {
  const made: WithMetadata[] = [];
  for (const [image, plain] of Object.entries(images))
    for (const [kind, wrap] of Object.entries(kinds)) {
      const secret = secretOf(`${format}, ${image}: ${kind}`);
      for (const [place, bytes] of Object.entries(places(plain, wrap(secret))))
        made.push({ name: `${format}, ${image}: ${kind}, ${place}`, bytes, secret: Buffer.from(secret) });
    }
  return made;
}

/**
 * Bytes without a pattern, the same ones in each run. If they were random, four of them in a row would sometimes also
 * occur in the picture by chance. They contain no 0xff, because a marker would end the scan of a JPEG early.
 */
function secretOf(name: string): Buffer {
  const bytes = createHash('shake256', { outputLength: SECRET_BYTES }).update(name).digest();
  return Buffer.from(bytes.map((byte) => byte % 0xff));
}

/** A JPEG segment. Its length includes the two bytes of the length itself. */
function segment(marker: number, ...data: readonly (Buffer | string)[]): Buffer {
  const body = Buffer.concat(data.map((part) => Buffer.from(part as string, 'latin1')));
  return Buffer.concat([Buffer.of(0xff, marker, (body.length + 2) >> 8, (body.length + 2) & 0xff), body]);
}

/** Little-endian EXIF, as cameras write it, with an orientation and with the secret as the artist. */
function exif(secret: Buffer, orientation = 1): Buffer {
  const entries = Buffer.from('49492a000800000002001201030001000000000000003b010200000000002600000000000000', 'hex');
  entries.writeUInt16LE(orientation, 18);
  entries.writeUInt32LE(secret.length, 26);
  return Buffer.concat([entries, secret]);
}

const XMP = 'http://ns.adobe.com/xap/1.0/\0';
const JPEG_KINDS: Readonly<Record<string, Wrap>> = {
  EXIF: (secret) => segment(0xe1, 'Exif\0\0', exif(secret)),
  'EXIF with a thumbnail': (secret) => segment(0xe1, 'Exif\0\0', exif(secret), Buffer.from('ffd8ffd9', 'hex')),
  XMP: (secret) => segment(0xe1, XMP, secret),
  'more XMP': (secret) => segment(0xe1, 'http://ns.adobe.com/xmp/extension/\0', secret),
  IPTC: (secret) => segment(0xed, 'Photoshop 3.0\0', '8BIM\x04\x04\0\0\0\0\0\x28', secret),
  comment: (secret) => segment(0xfe, secret),
  'index of more pictures': (secret) => segment(0xe2, 'MPF\0', secret),
  'maker notes': (secret) => segment(0xe5, secret),
  C2PA: (secret) => segment(0xeb, 'JP', secret),
  'JFIF thumbnail': (secret) =>
    segment(0xe0, 'JFIF\0', Buffer.from('01010000010001', 'hex'), Buffer.of(1, 13), secret.subarray(0, 39)),
  'JFXX thumbnail': (secret) => segment(0xe0, 'JFXX\0\x10', secret),
  'Adobe segment that is too long': (secret) => segment(0xee, 'Adobe', Buffer.from('00640000000001', 'hex'), secret),
  'stray bytes': (secret) => secret,
  'comment with too small a length': (secret) => Buffer.concat([Buffer.from('fffe0004', 'hex'), secret]),
  'comment of length 0': (secret) => Buffer.concat([Buffer.from('fffe0000', 'hex'), secret]),
};

function jpegPlaces(image: Buffer, metadata: Buffer): Readonly<Record<string, Buffer>> {
  const places = jpegParts(image).map((part): Place => [`before ${part.name}`, insert(image, part.start, metadata)]);
  // Progressive images have more scans. Each one begins after tables of its own.
  for (let at = image.indexOf(Buffer.from('ffda', 'hex')) + 2; ; at += 2) {
    at = image.indexOf(Buffer.from('ffc4', 'hex'), at);
    if (at < 0) break;
    if (metadata[0] === 0xff) places.push([`between scans at ${at}`, insert(image, at, metadata)]);
  }
  const end = image.length - 2;
  if (metadata[0] === 0xff) places.push(['before the end', insert(image, end, metadata)]);
  places.push(['after the end', Buffer.concat([image, metadata])]);
  return Object.fromEntries(places);
}

const PNG_KINDS: Readonly<Record<string, Wrap>> = {
  tEXt: (secret) => pngChunk('tEXt', Buffer.concat([Buffer.from('Author\0'), secret])),
  zTXt: (secret) => pngChunk('zTXt', Buffer.concat([Buffer.from('Author\0\0'), deflateSync(secret, { level: 0 })])),
  iTXt: (secret) => pngChunk('iTXt', Buffer.concat([Buffer.from('XML:com.adobe.xmp\0\0\0\0\0'), secret])),
  eXIf: (secret) => pngChunk('eXIf', exif(secret)),
  tIME: (secret) => pngChunk('tIME', secret.subarray(0, 7)),
  sPLT: (secret) => pngChunk('sPLT', Buffer.concat([secret.subarray(0, 20), Buffer.of(0, 8)])),
  C2PA: (secret) => pngChunk('caBX', secret),
  'unknown chunk': (secret) => pngChunk('prVt', secret),
};

function pngPlaces(image: Buffer, metadata: Buffer): Readonly<Record<string, Buffer>> {
  const places = pngParts(image)
    .filter(({ name }) => !name.startsWith('IHDR'))
    .map((part): Place => [`before ${part.name}`, insert(image, part.start, metadata)]);
  places.push(['after the end', Buffer.concat([image, metadata])]);
  return Object.fromEntries(places);
}

const GIF_KINDS: Readonly<Record<string, Wrap>> = {
  comment: (secret) => Buffer.concat([Buffer.of(0x21, 0xfe, secret.length), secret, Buffer.of(0)]),
  'comment of many parts': (secret) =>
    Buffer.concat([
      Buffer.of(0x21, 0xfe),
      ...[...secret].map((byte) => Buffer.of(1, byte)),
      Buffer.of(secret.length),
      secret,
      Buffer.of(0),
    ]),
  XMP: (secret) =>
    Buffer.concat([
      Buffer.from('21ff0b', 'hex'),
      Buffer.from('XMP DataXMP'),
      Buffer.of(secret.length),
      secret,
      Buffer.of(0),
    ]),
  'ICC profile': (secret) =>
    Buffer.concat([
      Buffer.from('21ff0b', 'hex'),
      Buffer.from('ICCRGBG1012'),
      Buffer.of(secret.length),
      secret,
      Buffer.of(0),
    ]),
  'loop with more behind it': (secret) =>
    Buffer.concat([
      Buffer.from('21ff0b', 'hex'),
      Buffer.from('NETSCAPE2.0'),
      Buffer.from('03010000', 'hex'),
      Buffer.of(secret.length),
      secret,
      Buffer.of(0),
    ]),
  'plain text': (secret) =>
    Buffer.concat([
      Buffer.from('21010c000000000a000a0001010100', 'hex'),
      Buffer.of(secret.length),
      secret,
      Buffer.of(0),
    ]),
};

function gifPlaces(image: Buffer, metadata: Buffer): Readonly<Record<string, Buffer>> {
  const places = gifParts(image).map((part): Place => [`before ${part.name}`, insert(image, part.start, metadata)]);
  return Object.fromEntries([...places, ['after the end', Buffer.concat([image, metadata])]]);
}

function chunk(type: string, data: Buffer): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(data.length);
  return Buffer.concat([Buffer.from(type, 'latin1'), size, data, Buffer.alloc(data.length % 2)]);
}

const WEBP_KINDS: Readonly<Record<string, Wrap>> = {
  EXIF: (secret) => chunk('EXIF', exif(secret)),
  'EXIF of odd length': (secret) => chunk('EXIF', exif(secret.subarray(0, 39))),
  XMP: (secret) => chunk('XMP ', secret),
  'unknown chunk': (secret) => chunk('prVt', secret),
};

/** Also sets the flags that announce EXIF and XMP, as an encoder does. */
function webpPlaces(image: Buffer, metadata: Buffer): Readonly<Record<string, Buffer>> {
  const extended = image.toString('latin1', 12, 16) === 'VP8X' ? image : extend(image);
  const flagged = Buffer.from(extended);
  flagged.writeUInt8(flagged.readUInt8(20) | 0x0c, 20);
  // A chunk may be anywhere after the canvas, except between the transparency and the picture.
  const places = webpParts(flagged)
    .filter((_part, index, parts) => index > 0 && !parts[index - 1]?.name.startsWith('ALPH'))
    .map((part): Place => [`before ${part.name}`, sized(insert(flagged, part.start, metadata))]);
  const frame = flagged.indexOf('ANMF');
  if (frame > 0) {
    const inside = Buffer.concat([flagged, metadata]);
    inside.writeUInt32LE(inside.length - frame - 8, frame + 4);
    places.push(['inside the frame', sized(inside)]);
  }
  return Object.fromEntries([
    ...places,
    ['last', sized(Buffer.concat([flagged, metadata]))],
    ['after a simple picture', sized(Buffer.concat([image, metadata]))],
    ['after the end', Buffer.concat([image, metadata])],
  ]);
}

function sized(webp: Buffer): Buffer {
  webp.writeUInt32LE(webp.length - 8, 4);
  return webp;
}

function extend(webp: Buffer): Buffer {
  const canvas = Buffer.alloc(CANVAS_BYTES);
  canvas.writeUIntLE(63, 4, 3);
  canvas.writeUIntLE(47, 7, 3);
  return sized(Buffer.concat([webp.subarray(0, 12), chunk('VP8X', canvas), webp.subarray(12)]));
}
const CANVAS_BYTES = 10;
