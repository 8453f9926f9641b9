import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import sharp, { type Sharp } from 'sharp';
import { describe, expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/config/limits.ts';
import { Admission } from '../../src/http/admission.ts';
import { CallerGone, Deadline } from '../../src/http/deadline.ts';
import type { Image } from '../../src/image/image.ts';
import { ImageReader } from '../../src/image/image-reader.ts';
import { SAILBOAT, TILE, tiledHeic } from '../images/heif.ts';
import { difference } from '../images/pixels.ts';
import { sayingSide, still } from '../images/still.ts';
import { inTurn, some } from '../tier.ts';

const MB = 1024 ** 2;
const { maxImageBytes } = DEFAULT_LIMITS;
const SAILBOAT_JPEG = fileURLToPath(new URL('../images/sailboat.jpg', import.meta.url));
const reader = new ImageReader({ prepareImages: true, maxImageBytes }, { workers: 2, maxMemoryBytes: 256 * MB });

/** Reads one image as in a request of its own, within `ms` milliseconds. */
async function read(bytes: Buffer, from = reader, ms = 60_000): Promise<Image> {
  const deadline = new Deadline(ms);
  const reservation = new Admission(1024 * MB).enter();
  try {
    const image = await from.forRequest({ deadline, reservation })(Buffer.from(bytes));
    return { ...image, bytes: Buffer.from(image.bytes) };
  } finally {
    reservation.leave();
    deadline.clear();
  }
}

/** The sailboat in the size of a tile, or in another size. */
function sailboat(width = TILE.width, height = TILE.height): Sharp {
  return sharp(SAILBOAT_JPEG).resize(width, height, { fit: 'fill' });
}

/** The picture that a HEIC of this many tiles shows: a sailboat in each tile. */
async function sailboats(columns: number, rows: number): Promise<Sharp> {
  const tiles = Array.from({ length: columns * rows }, (_, index) => index);
  const input = await sailboat().png().toBuffer();
  const background = { r: 0, g: 0, b: 0 };
  const size = { width: columns * TILE.width, height: rows * TILE.height };
  const composed = await sharp({ create: { ...size, channels: 3, background } })
    .composite(
      tiles.map((tile) => ({
        input,
        left: (tile % columns) * TILE.width,
        top: Math.floor(tile / columns) * TILE.height,
      })),
    )
    .png()
    .toBuffer();
  return sharp(composed);
}

describe('an image with an EXIF orientation is sent upright', () => {
  const FORMATS = [
    { format: 'jpeg', type: 'image/jpeg', encode: (image: Sharp) => image.jpeg(), tolerance: 3 },
    {
      format: 'progressive jpeg',
      type: 'image/jpeg',
      encode: (image: Sharp) => image.jpeg({ progressive: true }),
      tolerance: 3,
    },
    { format: 'gray jpeg', type: 'image/jpeg', encode: (image: Sharp) => image.grayscale().jpeg(), tolerance: 3 },
    { format: 'png', type: 'image/png', encode: (image: Sharp) => image.png(), tolerance: 0 },
    {
      format: 'png with a palette',
      type: 'image/png',
      encode: (image: Sharp) => image.png({ palette: true }),
      tolerance: 0,
    },
    { format: 'webp', type: 'image/jpeg', encode: (image: Sharp) => image.webp(), tolerance: 3 },
    {
      format: 'transparent webp',
      type: 'image/png',
      encode: (image: Sharp) => image.ensureAlpha(0.5).webp({ lossless: true }),
      tolerance: 1,
    },
  ] as const;

  const ORIENTATIONS = [2, 3, 4, 5, 6, 7, 8];

  test.each(inTurn(FORMATS, ORIENTATIONS))(
    '$row.format, orientation $way',
    async ({ row: { type, encode, tolerance }, way: orientation }) => {
      const bytes = await encode(sailboat(90, 61)).withMetadata({ orientation }).toBuffer();
      const image = await read(bytes);
      const [width, height] = orientation > 4 ? [61, 90] : [90, 61];
      expect(image).toMatchObject({ type, width, height, orientation: 1, cuts: [] });
      const { colour, alpha } = await difference(image.bytes, sharp(bytes, { ignoreIcc: true }).autoOrient());
      expect(colour).toBeLessThanOrEqual(tolerance);
      expect(alpha).toBeLessThanOrEqual(1);
      expect(await sharp(image.bytes).metadata()).not.toHaveProperty('exif');
    },
  );

  test('keeps its colour profile', async () => {
    for (const format of ['jpeg', 'png', 'webp'] as const) {
      const bytes = await sailboat(90, 61)
        .withMetadata({ orientation: 6 })
        .withIccProfile('p3')
        .toFormat(format)
        .toBuffer();
      const { icc } = await sharp((await read(bytes)).bytes).metadata();
      expect(icc?.equals((await sharp(bytes).metadata()).icc ?? Buffer.alloc(0)), format).toBe(true);
    }
  });
});

test.each(['image/jpeg', 'image/png', 'image/webp', 'image/gif'] as const)(
  'an upright image is sent unchanged: %s',
  async (type) => {
    const bytes = await still(type, 90, 61);
    const image = await read(bytes);
    expect(image).toMatchObject({ type, width: 90, height: 61 });
    expect(sha256(image.bytes)).toBe(sha256(bytes));
  },
);

describe('converts', () => {
  const CASES: Record<
    string,
    { bytes: () => Promise<Buffer>; expected: () => Promise<Sharp>; tolerance: number; type?: string }
  > = {
    'a HEIC': { bytes: async () => SAILBOAT, expected: async () => sailboat(), tolerance: 5 },
    'a HEIC of tiles': {
      bytes: async () => tiledHeic({ columns: 3, rows: 2 }),
      expected: async () => sailboats(3, 2),
      tolerance: 5,
    },
    'a HEIC that shows only a part of its tiles': {
      bytes: async () => tiledHeic({ columns: 2, rows: 1, says: { width: 400, height: 150 } }),
      expected: async () => (await sailboats(2, 1)).extract({ left: 0, top: 0, width: 400, height: 150 }),
      tolerance: 5,
    },
    ...Object.fromEntries(
      [1, 2, 3].map((turns) => [
        `a HEIC with ${turns} quarter turns`,
        {
          bytes: async () => tiledHeic({ columns: 2, rows: 1, turns }),
          expected: async () => (await sailboats(2, 1)).rotate(360 - 90 * turns),
          tolerance: 5,
        },
      ]),
    ),
    'a HEIC with a turn that its EXIF repeats': {
      bytes: async () => tiledHeic({ columns: 2, rows: 1, turns: 3, exif: await exifOf(6) }),
      expected: async () => (await sailboats(2, 1)).rotate(90),
      tolerance: 5,
    },
    'a HEIC mirrored top to bottom': {
      bytes: async () => tiledHeic({ columns: 1, rows: 2, mirror: 0 }),
      expected: async () => (await sailboats(1, 2)).flip(),
      tolerance: 5,
    },
    'a HEIC mirrored left to right': {
      bytes: async () => tiledHeic({ columns: 1, rows: 2, mirror: 1 }),
      expected: async () => (await sailboats(1, 2)).flop(),
      tolerance: 5,
    },
    'an AVIF': same(sailboat().avif({ quality: 80 })),
    'a transparent AVIF': { ...same(transparent().avif({ quality: 80 })), type: 'image/png' },
    'a TIFF': same(sailboat().tiff({ compression: 'none' })),
    'a TIFF with LZW compression': same(sailboat().tiff({ compression: 'lzw' })),
    'a TIFF with deflate compression, in tiles': same(sailboat().tiff({ compression: 'deflate', tile: true })),
    'a TIFF with JPEG compression': same(sailboat().tiff({ compression: 'jpeg', quality: 90 })),
    'a BigTIFF': same(sailboat().tiff({ compression: 'lzw', bigtiff: true })),
    'a TIFF with fax compression': same(
      sailboat().threshold().toColourspace('b-w').tiff({ compression: 'ccittfax4', bitdepth: 1 }),
    ),
    'a transparent TIFF': { ...same(transparent().tiff({ compression: 'lzw' })), type: 'image/png' },
    'the first page of a TIFF': {
      bytes: async () =>
        sharp(await Promise.all([sailboat(), sailboat().negate()].map(async (page) => page.png().toBuffer())), {
          join: { animated: true },
        })
          .tiff({ compression: 'lzw' })
          .toBuffer(),
      expected: async () => sailboat(),
      tolerance: 4,
    },
    'a TIFF with an orientation': same(sailboat().withMetadata({ orientation: 8 }).tiff({ compression: 'lzw' })),
  };

  test.each(some(Object.entries(CASES), 2))('%s', async (_, { bytes, expected, tolerance, type = 'image/jpeg' }) => {
    const image = await read(await bytes());
    const expectedPng = await (await expected()).png().toBuffer();
    const { width, height } = await sharp(expectedPng).metadata();
    expect(image).toMatchObject({ type, width, height, orientation: 1, cuts: [] });
    expect(await sharp(image.bytes).metadata()).toMatchObject({ format: type.slice('image/'.length), width, height });
    const { colour, alpha } = await difference(image.bytes, expectedPng);
    expect(colour).toBeLessThan(tolerance);
    expect(alpha).toBeLessThan(1);
  });
});

describe('rejects', () => {
  test.each([
    ['a truncated HEIC', async () => SAILBOAT.subarray(0, 2000)],
    ['a HEIC without a picture', async () => Buffer.concat([SAILBOAT.subarray(0, 40), Buffer.alloc(5000, 7)])],
    ['a truncated AVIF', async () => (await sailboat().avif().toBuffer()).subarray(0, 1000)],
    ['a truncated TIFF', async () => (await sailboat().tiff({ compression: 'lzw' }).toBuffer()).subarray(0, 10_000)],
    ['a TIFF without a directory', async () => Buffer.from(`4d4d002a00ffff00${'00'.repeat(9000)}`, 'hex')],
  ])('%s as corrupt', async (_, bytes) => {
    await expect(read(await bytes())).rejects.toMatchObject({ code: 'corrupt_image' });
  });

  test.each([
    ['a JPEG', async () => withClaimedSide(30_000)],
    ['an upright JPEG', async () => withClaimedSide(30_000, 1)],
    ['a HEIC', async () => tiledHeic({ columns: 1, rows: 1, says: { width: 30_000, height: 30_000 } })],
    ['a TIFF', async () => hugeTiff()],
  ])('%s of 30,000 x 30,000 pixels before it allocates memory for them', async (_, bytes) => {
    const before = process.memoryUsage.rss();
    await expect(read(await bytes())).rejects.toMatchObject({
      code: 'image_too_large',
      detail: expect.stringContaining('30000 x 30000'),
      members: { maxPixels: expect.any(Number), limit: maxImageBytes },
    });
    expect(process.memoryUsage.rss() - before).toBeLessThan(200 * MB);
  });

  test('an image that needs more memory than the limit', async () => {
    const small = new ImageReader({ prepareImages: true, maxImageBytes }, { workers: 1, maxMemoryBytes: 48 * MB });
    await expect(read(await sailboat(2560, 1920).avif({ effort: 0 }).toBuffer(), small)).rejects.toMatchObject({
      code: 'image_too_large',
      detail: expect.stringContaining('not enough memory'),
    });
    // The next one is served by the same process.
    expect(await read(SAILBOAT, small)).toMatchObject({ type: 'image/jpeg' });
  });

  test('an image that exceeds maxImageBytes after its conversion', async () => {
    const small = new ImageReader(
      { prepareImages: true, maxImageBytes: 5000 },
      { workers: 1, maxMemoryBytes: 128 * MB },
    );
    await expect(read(SAILBOAT, small)).rejects.toMatchObject({ code: 'image_too_large', members: { limit: 5000 } });
  });

  test('a sequence of images', async () => {
    for (const brand of ['hevc', 'avis', 'msf1'])
      await expect(
        read(Buffer.from(`00000010667479${Buffer.from(`p${brand}`).toString('hex')}00000000`, 'hex')),
      ).rejects.toMatchObject({
        code: 'animated_image',
      });
  });

  test('any other file, with a list of the accepted types', async () => {
    await expect(read(Buffer.from('%PDF-1.7\n'))).rejects.toMatchObject({
      code: 'unsupported_image_type',
      detail: expect.stringContaining('HEIC, HEIF, AVIF or TIFF'),
    });
  });
});

test.each(['image/jpeg', 'image/png', 'image/webp', 'image/gif'] as const)(
  'an upright image without metadata is neither copied nor cut: %s',
  async (type) => {
    const bytes = await still(type, 64, 48);
    const deadline = new Deadline(60_000);
    const image = await reader.forRequest({ deadline, reservation: new Admission(MB).enter() })(bytes);
    deadline.clear();
    expect(image.bytes).toBe(bytes);
    expect(image.cuts).toEqual([]);
  },
);

describe('decoding', () => {
  test('stops if its request is aborted, and then the next image is read', async () => {
    const one = new ImageReader({ prepareImages: true, maxImageBytes }, { workers: 1, maxMemoryBytes: 256 * MB });
    const deadline = new Deadline(60_000);
    const reservation = new Admission(1024 * MB).enter();
    const running = one.forRequest({ deadline, reservation })(tiledHeic({ columns: 15, rows: 15 }));
    const waiting = one.forRequest({ deadline, reservation })(tiledHeic({ columns: 15, rows: 15 }));
    const next = read(SAILBOAT, one);
    setTimeout(() => deadline.abandon(), 300);
    const both = await Promise.allSettled([running, waiting]);
    expect(both).toEqual([1, 2].map(() => ({ status: 'rejected', reason: expect.any(CallerGone) })));
    expect(await next).toMatchObject({ type: 'image/jpeg' });
  });

  test('that does not finish in time fails with overloaded', async () => {
    await expect(read(tiledHeic({ columns: 15, rows: 15 }), reader, 200)).rejects.toMatchObject({
      code: 'overloaded',
      headers: { 'retry-after': '10' },
    });
  });

  test('rejects an image with overloaded if too many wait', async () => {
    const one = new ImageReader({ prepareImages: true, maxImageBytes }, { workers: 1, maxMemoryBytes: 128 * MB });
    const deadline = new Deadline(60_000);
    const reservation = new Admission(1024 * MB).enter();
    const large = tiledHeic({ columns: 12, rows: 12 });
    const accepted = Array.from({ length: 33 }, async () => one.forRequest({ deadline, reservation })(large));
    const all = Promise.allSettled(accepted);
    for (let more = 0; more < 5; more += 1)
      await expect(read(SAILBOAT, one)).rejects.toMatchObject({ code: 'overloaded', headers: { 'retry-after': '10' } });
    deadline.abandon();
    expect((await all).map(({ status }) => status)).toEqual(accepted.map(() => 'rejected'));
    expect(await read(SAILBOAT, one)).toMatchObject({ type: 'image/jpeg' });
  });
});

test('PREPARE_IMAGES=off sends images unchanged, and rejects types that need conversion', async () => {
  const off = new ImageReader({ prepareImages: false, maxImageBytes }, { workers: 1, maxMemoryBytes: MB });
  const turned = await sailboat(90, 61).withMetadata({ orientation: 6 }).jpeg().toBuffer();
  const image = await read(turned, off);
  expect(image).toMatchObject({ width: 90, height: 61, cuts: [] });
  expect(sha256(image.bytes)).toBe(sha256(turned));
  for (const bytes of [SAILBOAT, await sailboat().avif().toBuffer(), await sailboat().tiff().toBuffer()])
    await expect(read(bytes, off)).rejects.toMatchObject({
      code: 'unsupported_image_type',
      detail: expect.stringMatching(/PNG, JPEG, WEBP or GIF\./),
    });
});

/** A case in which the result shows the same picture as the given image. */
function same(encoded: Sharp) {
  return {
    bytes: async () => encoded.clone().toBuffer(),
    expected: async () => sharp(await encoded.clone().toBuffer(), { ignoreIcc: true }).autoOrient(),
    tolerance: 4,
  };
}

/** The sailboat, transparent except for a circle. */
function transparent(): Sharp {
  const hole = Buffer.from(
    `<svg width="${TILE.width}" height="${TILE.height}"><circle cx="128" cy="96" r="80"/></svg>`,
  );
  return sailboat()
    .ensureAlpha()
    .composite([{ input: hole, blend: 'dest-in' }]);
}

/** A JPEG whose header says that each side has this many pixels. */
async function withClaimedSide(side: number, orientation = 6): Promise<Buffer> {
  return sayingSide(await sailboat(90, 61).withMetadata({ orientation }).jpeg().toBuffer(), side);
}

/** A TIFF of 30,000 x 30,000 gray pixels whose only strip is missing. */
function hugeTiff(): Buffer {
  const entries = [
    [256, 4, 30_000],
    [257, 4, 30_000],
    [258, 3, 8],
    [259, 3, 5],
    [262, 3, 1],
    [273, 4, 200],
    [277, 3, 1],
    [278, 4, 30_000],
    [279, 4, 100],
  ].map(([tag = 0, type = 0, value = 0]) => {
    const entry = Buffer.alloc(12);
    entry.writeUInt16LE(tag, 0);
    entry.writeUInt16LE(type, 2);
    entry.writeUInt32LE(1, 4);
    entry.writeUInt32LE(value, 8);
    return entry;
  });
  const header = Buffer.from(`49492a00080000000${entries.length}00`, 'hex');
  return Buffer.concat([header, ...entries, Buffer.alloc(300)]);
}

async function exifOf(orientation: number): Promise<Buffer> {
  const { exif = Buffer.alloc(0) } = await sharp(
    await sailboat().withMetadata({ orientation }).jpeg().toBuffer(),
  ).metadata();
  return exif.subarray(exif.toString('latin1', 0, 4) === 'Exif' ? 6 : 0);
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
