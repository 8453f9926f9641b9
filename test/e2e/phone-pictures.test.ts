import { createHash } from 'node:crypto';
import sharp, { type Sharp } from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { EmulatedAzure } from '../../src/dev/emulator/azure.ts';
import { SAILBOAT, TILE, tiledHeic } from '../images/heif.ts';
import { difference } from '../images/pixels.ts';
import { sayingSide, still } from '../images/still.ts';
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

/** How an image is sent to each route, and what its body is. */
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

describe.each(Object.keys(ROUTES))('on the route %s', (route) => {
  test.each([
    { name: 'a turned JPEG', bytes: () => turned('jpeg'), type: 'image/jpeg', shows: upright, tolerance: 3 },
    { name: 'a turned PNG', bytes: () => turned('png'), type: 'image/png', shows: upright, tolerance: 0 },
    { name: 'a turned WEBP', bytes: () => turned('webp'), type: 'image/jpeg', shows: upright, tolerance: 3 },
    {
      name: 'an AVIF',
      bytes: async () => sailboat().avif().toBuffer(),
      type: 'image/jpeg',
      shows: upright,
      tolerance: 4,
    },
    {
      name: 'a TIFF',
      bytes: async () => sailboat().tiff().toBuffer(),
      type: 'image/jpeg',
      shows: upright,
      tolerance: 4,
    },
    { name: 'a HEIC', bytes: async () => SAILBOAT, type: 'image/jpeg', shows: () => sailboat(), tolerance: 5 },
    {
      name: 'a turned HEIC',
      bytes: async () => tiledHeic({ columns: 1, rows: 1, turns: 1 }),
      type: 'image/jpeg',
      shows: () => sailboat().rotate(270),
      tolerance: 5,
    },
  ])('$name reaches the model upright', async ({ bytes, type, shows, tolerance }) => {
    const image = await bytes();
    const { status } = await send(app, route, image);
    expect(status).toBe(200);
    const sent = reached();
    expect(sent.type).toBe(type);
    expect((await sharp(sent.bytes).metadata()).format).toBe(type.slice('image/'.length));
    const expected = await shows(image).png().toBuffer();
    expect((await difference(sent.bytes, expected)).colour).toBeLessThanOrEqual(tolerance);
  });

  test('an image that needs nothing reaches it byte for byte', async () => {
    for (const type of ['image/jpeg', 'image/png', 'image/webp', 'image/gif'] as const) {
      const image = await still(type, 90, 61);
      expect((await send(app, route, image)).status).toBe(200);
      expect(reached().type).toBe(type);
      expect(sha256(reached().bytes)).toBe(sha256(image));
    }
  });

  test('a broken one is corrupt, one of 30,000 x 30,000 pixels too large, and neither costs a call', async () => {
    for (const image of [SAILBOAT.subarray(0, 2000), (await sailboat().avif().toBuffer()).subarray(0, 1000)])
      expect((await send(app, route, image)).text).toContain('corrupt_image');
    const heic = tiledHeic({ columns: 1, rows: 1, says: { width: 30_000, height: 30_000 } });
    for (const image of [heic, sayingSide(await turned('jpeg'), 30_000)])
      expect((await send(app, route, image)).text).toContain('image_too_large');
    expect(azure.model.requests).toEqual([]);
  });
});

test('the answer describes the images that were sent', async () => {
  const image = await turned('jpeg');
  const { text } = await send(app, 'JSON', image);
  const sent = reached().bytes;
  expect(JSON.parse(text)).toMatchObject({
    images: [{ type: 'image/jpeg', width: TILE.height, height: TILE.width, bytes: sent.length }],
  });
  const heic = await send(app, 'JSON', SAILBOAT);
  expect(JSON.parse(heic.text)).toMatchObject({ images: [{ type: 'image/jpeg', width: 256, height: 192 }] });
});

test('of several images each is prepared, and the broken one is named', async () => {
  const good = await turned('jpeg');
  const images = [good, SAILBOAT, await still('image/png', 9, 8)].map((image) => image.toString('base64'));
  const { text } = await post(app, json('processImage', { instructions: INSTRUCTIONS, images }));
  expect(JSON.parse(text)).toMatchObject({
    images: [{ width: 192, height: 256 }, { type: 'image/jpeg' }, { type: 'image/png', width: 9 }],
  });
  const broken = [...images, SAILBOAT.subarray(0, 2000).toString('base64')];
  const refused = await post(app, json('processImage', { instructions: INSTRUCTIONS, images: broken }));
  expect(JSON.parse(refused.text)).toMatchObject({ code: 'corrupt_image', image: 4 });
});

test('with PREPARE_IMAGES=off, bytes reach the model as they came, and HEIC, AVIF and TIFF are refused', async () => {
  const off = await startApp({ ...azure.env, PREPARE_IMAGES: 'off' });
  try {
    const image = await turned('jpeg');
    for (const route of Object.keys(ROUTES)) {
      expect((await send(off, route, image)).status, route).toBe(200);
      expect(sha256(reached().bytes), route).toBe(sha256(image));
      azure.reset();
      for (const other of [SAILBOAT, await sailboat().avif().toBuffer(), await sailboat().tiff().toBuffer()])
        expect((await send(off, route, other)).text, route).toContain('unsupported_image_type');
      expect(azure.model.requests).toEqual([]);
    }
  } finally {
    await off.stop();
  }
});

async function send({ url }: App, route: string, image: Buffer): Promise<{ status: number; text: string }> {
  keepSecret('image', new Uint8Array(image));
  const request = ROUTES[route]?.(image);
  if (!request) throw new Error(`no route ${route}`);
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
function reached(): { type: string; bytes: Buffer } {
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

async function turned(format: 'jpeg' | 'png' | 'webp'): Promise<Buffer> {
  return sailboat().withMetadata({ orientation: 6 }).toFormat(format).toBuffer();
}

function upright(image: Buffer): Sharp {
  return sharp(image, { ignoreIcc: true }).autoOrient();
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
