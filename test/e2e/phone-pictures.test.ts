import { createHash } from 'node:crypto';
import sharp, { type Sharp } from 'sharp';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { EmulatedAzure } from '../../src/dev/emulator/azure.ts';
import { SAILBOAT, TILE, tiledHeic } from '../images/heif.ts';
import { difference } from '../images/pixels.ts';
import { sayingSide, still } from '../images/still.ts';
import { inTurn } from '../tier.ts';
import { type App, startApp, startBoth } from './app.ts';
import { keepSecret } from './secrets.ts';

const INSTRUCTIONS = 'Which way is up?';
const SAILBOAT_JPEG = new URL('../images/sailboat.jpg', import.meta.url).pathname;

let app: App;
let azure: EmulatedAzure;
beforeAll(async () => {
  ({ app, azure } = await startBoth());
});
afterAll(async () => {
  await app.stop();
  azure.close();
});
beforeEach(() => azure.reset());

/** For each route, the request that asks about an image. */
const ROUTES: Record<string, (image: Buffer) => { path: string; body: string | FormData | Buffer; type?: string }> = {
  raw: (image) => ({
    path: `processImage?${new URLSearchParams({ instructions: INSTRUCTIONS }).toString()}`,
    body: image,
    type: 'application/octet-stream',
  }),
  multipart(image) {
    const body = new FormData();
    body.set('instructions', INSTRUCTIONS);
    body.set('image', new Blob([new Uint8Array(image)]));
    return { path: 'processImage', body };
  },
  JSON: (image) => json('processImage', { instructions: INSTRUCTIONS, images: [image.toString('base64')] }),
  chat: (image) =>
    json('chat/completions', {
      messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: dataUrl(image) } }] }],
    }),
  responses: (image) =>
    json('responses', { input: [{ role: 'user', content: [{ type: 'input_image', image_url: dataUrl(image) }] }] }),
  mcp: (image) =>
    json('mcp', {
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: {
        name: 'ask_about_image',
        arguments: { instructions: INSTRUCTIONS, images: [image.toString('base64')] },
      },
    }),
};

/** What the app takes without conversion, and what it converts. */
const PLAIN_TYPES = ['image/png', 'image/jpeg', 'image/webp', 'image/gif'];
const ALL_TYPES = [...PLAIN_TYPES, 'image/heic', 'image/heif', 'image/avif', 'image/tiff'];

const AVIF = await sailboat().avif().toBuffer();
const TIFF = await sailboat().tiff().toBuffer();
const ROTATED_JPEG = await rotated('jpeg');

/**
 * Pictures as phones and scanners make them, with the type and the pixels that the model must receive, and how far the
 * colours may differ.
 */
const PICTURES: readonly {
  name: string;
  image: Buffer;
  type: 'image/jpeg' | 'image/png';
  shows: () => Sharp;
  tolerance: number;
}[] = [
  { name: 'a rotated JPEG', image: ROTATED_JPEG, type: 'image/jpeg', shows: () => upright(ROTATED_JPEG), tolerance: 3 },
  ...(await Promise.all(
    (['png', 'webp'] as const).map(async (format) => {
      const image = await rotated(format);
      const type = format === 'png' ? ('image/png' as const) : ('image/jpeg' as const);
      const tolerance = format === 'png' ? 0 : 3;
      return { name: `a rotated ${format.toUpperCase()}`, image, type, shows: () => upright(image), tolerance };
    }),
  )),
  { name: 'an AVIF', image: AVIF, type: 'image/jpeg', shows: () => upright(AVIF), tolerance: 4 },
  { name: 'a TIFF', image: TIFF, type: 'image/jpeg', shows: () => upright(TIFF), tolerance: 4 },
  { name: 'a HEIC', image: SAILBOAT, type: 'image/jpeg', shows: () => sailboat(), tolerance: 5 },
  {
    name: 'a rotated HEIC',
    image: tiledHeic({ columns: 1, rows: 1, turns: 1 }),
    type: 'image/jpeg',
    shows: () => sailboat().rotate(270),
    tolerance: 5,
  },
];

test.each(inTurn(PICTURES, Object.keys(ROUTES)))(
  '$row.name reaches the model upright, as $row.type, on the route $way',
  async ({ row: { image, type, shows, tolerance }, way: route }) => {
    const { status } = await send(app, route, image);
    expect(status).toBe(200);
    const sent = receivedImage();
    expect(sent.type).toBe(type);
    expect((await sharp(sent.bytes).metadata()).format).toBe(type.slice('image/'.length));
    const expected = await shows().png().toBuffer();
    expect((await difference(sent.bytes, expected)).colour).toBeLessThanOrEqual(tolerance);
  },
);

test.each(Object.keys(ROUTES))(
  'on the route %s, an image that needs no conversion reaches the model byte for byte',
  async (route) => {
    for (const type of ['image/jpeg', 'image/png', 'image/webp', 'image/gif'] as const) {
      const image = await still(type, 90, 61);
      expect((await send(app, route, image)).status).toBe(200);
      expect(receivedImage().type).toBe(type);
      expect(sha256(receivedImage().bytes)).toBe(sha256(image));
    }
  },
);

/** Pictures that are rejected, with the code of the problem. */
const REJECTED: readonly { name: string; image: Buffer; code: string }[] = [
  { name: 'a truncated HEIC', image: SAILBOAT.subarray(0, 2000), code: 'corrupt_image' },
  { name: 'a truncated AVIF', image: AVIF.subarray(0, 1000), code: 'corrupt_image' },
  {
    name: 'a HEIC header of 30,000 x 30,000 pixels',
    image: tiledHeic({ columns: 1, rows: 1, says: { width: 30_000, height: 30_000 } }),
    code: 'image_too_large',
  },
  {
    name: 'a JPEG header of 30,000 x 30,000 pixels',
    image: sayingSide(ROTATED_JPEG, 30_000),
    code: 'image_too_large',
  },
];

test.each(inTurn(Object.keys(ROUTES), REJECTED))(
  'on the route $row, $way.name is rejected with $way.code, and the model is not called',
  async ({ row: route, way: { image, code } }) => {
    expect((await send(app, route, image)).text).toContain(code);
    expect(azure.model.requests).toEqual([]);
  },
);

test('the answer describes the images as the model received them', async () => {
  const { text } = await send(app, 'JSON', ROTATED_JPEG);
  const sent = receivedImage().bytes;
  expect(JSON.parse(text)).toMatchObject({
    images: [{ type: 'image/jpeg', width: TILE.height, height: TILE.width, bytes: sent.length }],
  });
  const heic = await send(app, 'JSON', SAILBOAT);
  expect(JSON.parse(heic.text)).toMatchObject({ images: [{ type: 'image/jpeg', width: 256, height: 192 }] });
});

test('prepares each of several images, and gives the position of one that is corrupt', async () => {
  const images = [ROTATED_JPEG, SAILBOAT, await still('image/png', 9, 8)].map((image) => image.toString('base64'));
  const { text } = await post(app, json('processImage', { instructions: INSTRUCTIONS, images }));
  expect(JSON.parse(text)).toMatchObject({
    images: [{ width: 192, height: 256 }, { type: 'image/jpeg' }, { type: 'image/png', width: 9 }],
  });
  const broken = [...images, SAILBOAT.subarray(0, 2000).toString('base64')];
  const rejected = await post(app, json('processImage', { instructions: INSTRUCTIONS, images: broken }));
  expect(JSON.parse(rejected.text)).toMatchObject({ code: 'corrupt_image', image: 4 });
});

test('every problem of an unsupported type lists the types that are taken', async () => {
  await expectListed(app, ALL_TYPES);
});

test('with PREPARE_IMAGES=off, images stay byte for byte, and HEIC, AVIF and TIFF are rejected', async () => {
  const off = await startApp({ ...azure.env, PREPARE_IMAGES: 'off' });
  try {
    for (const route of Object.keys(ROUTES)) {
      expect((await send(off, route, ROTATED_JPEG)).status, route).toBe(200);
      expect(sha256(receivedImage().bytes), route).toBe(sha256(ROTATED_JPEG));
      azure.reset();
      for (const other of [SAILBOAT, AVIF, TIFF])
        expect((await send(off, route, other)).text, route).toContain('unsupported_image_type');
      expect(azure.model.requests).toEqual([]);
    }
    await expectListed(off, PLAIN_TYPES);
  } finally {
    await off.stop();
  }
});

/** Sends bytes of a wrong type, and text that is refused as soon as it is read, in every way of `processImage`. */
async function expectListed(to: App, supported: readonly string[]): Promise<void> {
  for (const bytes of [Buffer.from('%PDF-1.7\n'), Buffer.from('{"instructions":"What?"}')])
    for (const route of ['raw', 'multipart', 'JSON']) {
      const { text } = await send(to, route, bytes);
      expect(JSON.parse(text), `${route}: ${bytes.toString()}`).toMatchObject({
        code: 'unsupported_image_type',
        supported,
      });
    }
}

async function send({ url }: App, route: string, image: Buffer): Promise<{ status: number; text: string }> {
  keepSecret('image', new Uint8Array(image));
  const request = ROUTES[route]?.(image);
  if (!request) throw new Error(`unknown route ${route}`);
  return post({ url }, request);
}

async function post(
  { url }: Pick<App, 'url'>,
  { path, body, type }: { path: string; body: string | FormData | Buffer; type?: string },
): Promise<{ status: number; text: string }> {
  const response = await fetch(`${url}/api/${path}`, {
    method: 'POST',
    headers: { accept: 'application/json, text/event-stream;q=0.5', ...(type ? { 'content-type': type } : {}) },
    body: Buffer.isBuffer(body) ? new Uint8Array(body) : body,
  });
  return { status: response.status, text: await response.text() };
}

/** The image in the last request that the model received. */
function receivedImage(): { type: string; bytes: Buffer } {
  const body = JSON.stringify(azure.model.requests.at(-1)?.body);
  const [, type = '', base64 = ''] = /data:([\w/]+);base64,([\w+/=]+)/.exec(body) ?? [];
  return { type, bytes: Buffer.from(base64, 'base64') };
}

function json(path: string, value: unknown): { path: string; body: string; type: string } {
  return { path, body: JSON.stringify(value), type: 'application/json' };
}

function dataUrl(image: Buffer): string {
  return `data:image/jpeg;base64,${image.toString('base64')}`;
}

function sailboat(): Sharp {
  return sharp(SAILBOAT_JPEG).resize(TILE.width, TILE.height, { fit: 'fill' });
}

async function rotated(format: 'jpeg' | 'png' | 'webp'): Promise<Buffer> {
  return sailboat().withMetadata({ orientation: 6 }).toFormat(format).toBuffer();
}

function upright(image: Buffer): Sharp {
  return sharp(image, { ignoreIcc: true }).autoOrient();
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
