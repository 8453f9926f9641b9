import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { EmulatedAzure } from '../../src/dev/emulator/azure.ts';
import { type EmulatedStorage, startStorage } from '../../src/dev/emulator/storage.ts';
import { hostileUrls } from '../storage/hostile-urls.ts';
import { type App, startBoth } from './app.ts';
import { type Asked, checkedFetch, post } from './ask.ts';
import { keepSecret } from './secrets.ts';

const JPEG = await readFile(new URL('../images/sailboat.jpg', import.meta.url));
const WEBP = await readFile(new URL('../images/sailboat-small.webp', import.meta.url));
const NAME = 'marker of the folder/boat é.jpg';
const JSON_TYPE = { 'content-type': 'application/json', accept: 'application/json' };

let storage: EmulatedStorage;
let app: App;
let azure: EmulatedAzure;
beforeAll(async () => {
  storage = await startStorage();
  await storage.ready;
  await storage.images.getBlockBlobClient(NAME).uploadData(JPEG);
  await storage.images.getBlockBlobClient('small.webp').uploadData(WEBP);
  await storage.images.getBlockBlobClient('words.txt').uploadData(Buffer.from('no image'));
  await storage.images.getBlockBlobClient('large.jpg').uploadData(Buffer.alloc(100_001, JPEG));
  const env = { ...storage.env, NODE_EXTRA_CA_CERTS: storage.caFile, MAX_IMAGE_BYTES: '100000', MAX_IMAGES: '3' };
  ({ app, azure } = await startBoth(env));
  keepSecret('words', 'marker of the folder');
  keepSecret('words', 'marker%20of%20the%20folder');
});
afterAll(async () => {
  await app.stop();
  azure.close();
  await storage.close();
});
beforeEach(() => azure.reset());

const urlOf = (name: string): string => `${storage.images.url}/${name.split('/').map(encodeURIComponent).join('/')}`;

async function askJson(...images: unknown[]): Promise<Asked> {
  return post(app.url, JSON.stringify({ instructions: 'What is this?', images }), JSON_TYPE);
}

async function askQuery(blobs: readonly string[], init: RequestInit = {}): Promise<Asked> {
  const query = new URLSearchParams([
    ['instructions', 'What is this?'],
    ...blobs.map((blob) => ['blob', blob] satisfies [string, string]),
  ]);
  const url = `${app.url}/api/processImage?${query.toString()}`;
  const response = await checkedFetch(url, { method: 'POST', headers: { accept: 'application/json' }, ...init });
  const text = await response.text();
  const { status, headers } = response;
  return { status, headers, text, json: () => JSON.parse(text) as Record<string, unknown> };
}

test('sends the bytes of blobs to the model: named in JSON, in JSON with a base64 image, and in the query', async () => {
  const image = { type: 'image/jpeg', width: 960, height: 640, bytes: JPEG.length };
  const small = { type: 'image/webp', width: 96, height: 64, bytes: WEBP.length };
  const blob = { blob: urlOf(NAME) };
  expect((await askJson(blob)).json()).toMatchObject({ images: [image] });
  expect((await askJson(WEBP.toString('base64'), blob)).json()).toMatchObject({ images: [small, image] });
  expect((await askQuery([urlOf(NAME), urlOf('small.webp')])).json()).toMatchObject({ images: [image, small] });
  const sent = JSON.stringify(azure.model.requests.map(({ body }) => body));
  expect(sent.split(JPEG.toString('base64'))).toHaveLength(4);
});

test('the MCP tool accepts blobs, and returns an error if one is missing or not allowed', async () => {
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(new StreamableHTTPClientTransport(new URL(`${app.url}/api/mcp`)));
  const call = async (blob: string) =>
    client.callTool({ name: 'ask_about_image', arguments: { instructions: 'What is this?', images: [{ blob }] } });
  expect(await call(urlOf(NAME))).not.toHaveProperty('isError', true);
  expect(await call(urlOf('none.png'))).toMatchObject({
    isError: true,
    content: [{ text: expect.stringMatching(/^blob_not_found: /) as string }],
  });
  expect(await call('https://photos.blob.core.windows.net/private/a.png')).toMatchObject({
    isError: true,
    content: [{ text: expect.stringMatching(/^blob_not_allowed: /) as string }],
  });
  await client.close();
});

test.each([
  ['none.png', 404, { code: 'blob_not_found' }],
  ['words.txt', 415, { code: 'unsupported_image_type' }],
  ['large.jpg', 413, { code: 'image_too_large', limit: 100_000 }],
])('%s: answers %i without a model call, and says which image it was', async (name, status, problem) => {
  const alone = await askQuery([urlOf(name)]);
  expect([alone.status, alone.json()]).toEqual([status, expect.objectContaining(problem)]);
  const second = await askJson({ blob: urlOf('small.webp') }, { blob: urlOf(name) });
  expect([second.status, second.json()]).toEqual([status, expect.objectContaining({ ...problem, image: 2 })]);
  expect(azure.model.requests).toEqual([]);
});

test.each([
  ['a body in addition to ?blob', { body: JPEG }, 1, 'invalid_request'],
  ['JSON in addition to ?blob', { body: '{}', headers: { 'content-type': 'application/json' } }, 1, 'invalid_request'],
  ['more blobs than MAX_IMAGES', {}, 4, 'too_many_images'],
])('rejects %s with 400 and without a model call', async (_, init, count, code) => {
  const blobs = Array.from({ length: count }, () => urlOf('small.webp'));
  expect((await askQuery(blobs, init)).json()).toMatchObject({ status: 400, code });
  expect(azure.model.requests).toEqual([]);
});

test.each([
  [{}],
  [{ blob: 1 }],
  [{ blob: null }],
  [{ blob: 'https://photos.blob.core.windows.net/a/b', sas: 'x' }],
  [{ url: 'https://photos.blob.core.windows.net/a/b' }],
  [['https://photos.blob.core.windows.net/a/b']],
  [null],
])('rejects the image %j', async (image) => {
  expect((await askJson(image)).json()).toMatchObject({
    code: 'invalid_request',
    errors: [{ field: 'images[0]' }],
  });
});

describe('hostile URLs', () => {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  beforeAll(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterAll(() => void server.close());

  test('each gets blob_not_allowed, and the app calls no other server or model and requests no storage token', async () => {
    // Start another app, because the shared one already has a storage token. A job worker would request one, too.
    const fresh = await startBoth({ ...storage.env, JOBS_WORKER: 'off', NODE_EXTRA_CA_CERTS: storage.caFile });
    // At startup, the app requests a token for the model, which is allowed.
    await checkedFetch(`${fresh.app.url}/api/health`);
    const elsewhere = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const urls = hostileUrls({ container: storage.images.url, elsewhere });
    expect(urls.length).toBeGreaterThan(60);
    const unexpected: unknown[] = [];
    for (const [what, url] of urls) {
      const body = JSON.stringify({ instructions: 'What is this?', images: [{ blob: url }] });
      const answers = [await post(fresh.app.url, body, JSON_TYPE)];
      // A URL that is too long for a query is sent in JSON only.
      const query = new URLSearchParams({ instructions: 'What is this?', blob: url }).toString();
      if (query.length < 4_096)
        answers.push(await post(fresh.app.url, '', { accept: 'application/json' }, `?${query}`));
      for (const answer of answers)
        if (answer.status !== 403 || answer.json()['code'] !== 'blob_not_allowed') unexpected.push([what, answer.text]);
    }
    expect(unexpected).toEqual([]);
    expect(connections).toBe(0);
    expect(fresh.azure.model.requests).toEqual([]);
    const resources = fresh.azure.identity.requests.map(({ query }) => query.get('resource'));
    expect(resources.filter((resource) => resource?.includes('storage'))).toEqual([]);
    await fresh.app.stop();
    fresh.azure.close();
  });
});

describe('health/ready', () => {
  const ready = async (url: string) => {
    const response = await checkedFetch(`${url}/api/health/ready`);
    return { status: response.status, body: (await response.json()) as { checks: Record<string, unknown>[] } };
  };

  test('reports that the containers and the queue can be used', async () => {
    const { status, body } = await ready(app.url);
    expect(status).toBe(200);
    expect(body.checks).toContainEqual({
      name: 'storage',
      status: 'ok',
      reason: 'images, vision-jobs, vision-jobs may be used',
      fix: null,
    });
  });

  test.each([
    ['a container that does not exist', { IMAGE_CONTAINERS: '/nowhere' }, 'has no container nowhere'],
    [
      'a storage account that cannot be reached',
      { IMAGE_CONTAINERS: 'https://127.0.0.1:9/photos/images' },
      'cannot be reached',
    ],
  ])('answers 503 and reports %s, and that the deployment is ok', async (_, { IMAGE_CONTAINERS }, reason) => {
    const containers = IMAGE_CONTAINERS.startsWith('/')
      ? storage.images.url.replace(/\/images$/, IMAGE_CONTAINERS)
      : IMAGE_CONTAINERS;
    const fresh = await startBoth({ IMAGE_CONTAINERS: containers, NODE_EXTRA_CA_CERTS: storage.caFile });
    const { status, body } = await ready(fresh.app.url);
    expect(status).toBe(503);
    expect(body.checks).toContainEqual(
      expect.objectContaining({ name: 'storage', status: 'fail', reason: expect.stringContaining(reason) as string }),
    );
    expect(body.checks).toContainEqual(expect.objectContaining({ name: 'deployment', status: 'ok' }));
    await fresh.app.stop();
    fresh.azure.close();
  });
});

test('does not log the name of a blob, even if the libraries log verbosely', async () => {
  const fresh = await startBoth({ ...storage.env, NODE_EXTRA_CA_CERTS: storage.caFile, AZURE_LOG_LEVEL: 'verbose' });
  for (const name of [NAME, `${NAME}.gone`]) {
    const body = JSON.stringify({ instructions: 'What is this?', images: [{ blob: urlOf(name) }] });
    await post(fresh.app.url, body, JSON_TYPE);
  }
  expect(fresh.app.output()).not.toContain('marker');
  await fresh.app.stop();
  fresh.azure.close();
});
