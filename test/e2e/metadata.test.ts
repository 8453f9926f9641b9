import { createHash } from 'node:crypto';
import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { EmulatedAzure } from '../../src/dev/emulator/azure.ts';
import { imagesWithMetadata, type WithMetadata } from '../images/metadata.ts';
import { still } from '../images/still.ts';
import { FULL, inTurn } from '../tier.ts';
import { type App, startApp, startBoth } from './app.ts';
import { ask, checkedFetch, post } from './ask.ts';
import { keepSecret } from './secrets.ts';

const PER_REQUEST = 10;
/**
 * The tests use every `STEP`th of about 900 images. These contain all kinds of metadata. In the full run, each format
 * contains it in most of the places.
 */
const STEP = FULL ? 4 : 13;
/** Time for more than 200 images on a busy machine. The emulated model decodes each of them. */
const ROUTE_MS = 120_000;

const INSTRUCTIONS = 'What is this?';
const JSON_TYPE = { 'content-type': 'application/json' };
const ANY_ANSWER = { ...JSON_TYPE, accept: 'application/json, text/event-stream' };

const images = (await imagesWithMetadata()).filter((_image, index) => index % STEP === 0);

let app: App;
let azure: EmulatedAzure;
beforeAll(async () => ({ app, azure } = await startBoth()));
afterAll(async () => {
  await app.stop();
  azure.close();
});
beforeEach(() => azure.reset());

/** All routes by which images reach the model. Each function returns the status of the response. */
const routes: Readonly<Record<string, (given: readonly Buffer[]) => Promise<number>>> = {
  async raw(given) {
    const answers = await Promise.all(given.map(async (image) => ask(app.url, image)));
    return Math.max(...answers.map(({ status }) => status));
  },
  async multipart(given) {
    const form = new FormData();
    form.set('instructions', INSTRUCTIONS);
    for (const image of given) form.append('image', new Blob([new Uint8Array(image)]), 'x');
    return (await post(app.url, form, {})).status;
  },
  async JSON(given) {
    const body = JSON.stringify({ instructions: INSTRUCTIONS, images: given.map(dataUrl) });
    return (await post(app.url, body, JSON_TYPE)).status;
  },
  async 'chat completions'(given) {
    const content = given.map((image) => ({ type: 'image_url', image_url: { url: dataUrl(image) } }));
    return send('chat/completions', { model: 'any', messages: [{ role: 'user', content }] });
  },
  async responses(given) {
    const content = given.map((image) => ({ type: 'input_image', image_url: dataUrl(image) }));
    return send('responses', { model: 'any', input: [{ role: 'user', content }] });
  },
  async MCP(given) {
    const params = { name: 'ask_about_image', arguments: { instructions: INSTRUCTIONS, images: given.map(dataUrl) } };
    return send('mcp', { jsonrpc: '2.0', id: 1, method: 'tools/call', params });
  },
};

/** Each image takes one of the routes, and in the full run all of them. */
const byRoute = Map.groupBy(inTurn(images, Object.keys(routes)), ({ way }) => way);

function imagesFor(route: string): readonly WithMetadata[] {
  return (byRoute.get(route) ?? []).map(({ row }) => row);
}

test('there are enough images with metadata, and each takes at least one route', () => {
  expect(images.length).toBeGreaterThan(FULL ? 200 : 60);
  expect(new Set(Object.keys(routes).flatMap(imagesFor)).size).toBe(images.length);
});

test.each(Object.keys(routes))(
  'removes the metadata of images and keeps their pixels: %s',
  async (route) => {
    const given = imagesFor(route);
    for (let at = 0; at < given.length; at += PER_REQUEST) {
      const group = given.slice(at, at + PER_REQUEST);
      azure.reset();
      expect(await routes[route]?.(group.map(({ bytes }) => bytes)), names(group)).toBe(200);
      const received = azure.model.requests.flatMap(({ body }) => imagesIn(body));
      expect(received, names(group)).toHaveLength(group.length);
      expect(namesWithMetadataLeft(received, group)).toEqual([]);
      // Raw images are sent concurrently, so they arrive in any order.
      const before = (await pixels(group.map(({ bytes }) => bytes))).toSorted();
      expect((await pixels(received)).toSorted(), names(group)).toEqual(before);
    }
  },
  ROUTE_MS,
);

test.each(Object.keys(routes))('sends an image without metadata byte for byte: %s', async (route) => {
  const given = await Promise.all(
    (['image/png', 'image/jpeg', 'image/webp', 'image/gif'] as const).map(async (type) => still(type, 64, 48)),
  );
  expect(await routes[route]?.(given)).toBe(200);
  const received = azure.model.requests.flatMap(({ body }) => imagesIn(body));
  expect(received.map(hex).toSorted()).toEqual(given.map(hex).toSorted());
});

test('the answer describes the image that was sent to the model', async () => {
  const [first] = images;
  const answer = await ask(app.url, first?.bytes ?? Buffer.alloc(0), { headers: { accept: 'application/json' } });
  const [sent] = imagesIn(azure.model.requests[0]?.body);
  expect(sent?.length).toBeLessThan(first?.bytes.length ?? 0);
  expect(answer.json()['images']).toEqual([{ type: 'image/jpeg', width: 64, height: 48, bytes: sent?.length }]);
});

test('a retry sends the same image again', async () => {
  azure.model.fail({ status: 500 });
  const [first] = images;
  expect((await ask(app.url, first?.bytes ?? Buffer.alloc(0))).status).toBe(200);
  const [once = [], twice] = azure.model.requests.map(({ body }) => imagesIn(body));
  expect(once).toHaveLength(1);
  expect(twice).toEqual(once);
});

test('sends an image unchanged if PREPARE_IMAGES=off', async () => {
  const other = await startApp({ ...azure.env, PREPARE_IMAGES: 'off' });
  const [first] = images;
  const answer = await ask(other.url, first?.bytes ?? Buffer.alloc(0), { headers: { accept: 'application/json' } });
  expect(answer.json()['images']).toMatchObject([{ bytes: first?.bytes.length }]);
  expect(imagesIn(azure.model.requests[0]?.body)).toEqual([first?.bytes]);
  await other.stop();
});

async function send(path: string, body: object): Promise<number> {
  const text = JSON.stringify(body);
  keepSecret('words', text);
  const { status } = await checkedFetch(`${app.url}/api/${path}`, { method: 'POST', body: text, headers: ANY_ANSWER });
  return status;
}

/** Returns the names of images with metadata left: at least four bytes of their random secret reached the model. */
function namesWithMetadataLeft(received: readonly Buffer[], group: readonly WithMetadata[]): string[] {
  const starts = Array.from({ length: 37 }, (_, at) => at);
  return group
    .filter(({ secret }) => starts.some((at) => received.some((image) => image.includes(secret.subarray(at, at + 4)))))
    .map(({ name }) => name);
}

/** Returns the images in a request to the model, wherever they are in it. */
function imagesIn(body: unknown): Buffer[] {
  return [...JSON.stringify(body).matchAll(/"data:image\/\w+;base64,(?<base64>[^"]*)"/g)].map(({ groups }) =>
    Buffer.from(groups?.['base64'] ?? '', 'base64'),
  );
}

async function pixels(given: readonly Buffer[]): Promise<string[]> {
  return Promise.all(
    given.map(async (image) => {
      const { data, info } = await sharp(image, { failOn: 'error' }).raw().toBuffer({ resolveWithObject: true });
      return `${info.width} x ${info.height}: ${hex(data)}`;
    }),
  );
}

function hex(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function names(group: readonly WithMetadata[]): string {
  return group.map(({ name }) => name).join('; ');
}

function dataUrl(image: Buffer): string {
  return `data:image/png;base64,${image.toString('base64')}`;
}
