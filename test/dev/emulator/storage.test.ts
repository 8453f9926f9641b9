import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BlobServiceClient } from '@azure/storage-blob';
import { ManagedIdentityCredential } from '@azure/identity';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { startAzure } from '../../../src/dev/emulator/azure.ts';
import { startStorage } from '../../../src/dev/emulator/storage.ts';
import { uploadImages } from '../../../src/dev/start/upload-images.ts';

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'storage-'))));
afterEach(() => rm(folder, { recursive: true }));

async function startReady(): Promise<Awaited<ReturnType<typeof startStorage>>> {
  const storage = await startStorage(folder);
  onTestFinished(async () => storage.close());
  await storage.ready;
  return storage;
}

test('the storage keeps a blob across a restart, under the same URL', async () => {
  const first = await startReady();
  const blob = first.images.getBlockBlobClient('a.jpg');
  await blob.upload('bytes', 5);
  await first.close();
  const second = await startReady();
  const again = second.images.getBlockBlobClient('a.jpg');
  expect(again.url).toBe(blob.url);
  expect((await again.downloadToBuffer()).toString()).toBe('bytes');
});

test('the storage accepts tokens of the emulated identity, and rejects requests without a token', async () => {
  const azure = await startAzure();
  const { env, images } = await startReady();
  const service = env['JobsStorage__blobServiceUri'] ?? '';
  expect(env['IMAGE_CONTAINERS']).toBe(images.url);
  // @azure/identity reads these variables from the environment of its process.
  const before = { ...process.env };
  Object.assign(process.env, azure.env);
  const client = new BlobServiceClient(service, new ManagedIdentityCredential());
  expect(await client.getContainerClient('images').exists()).toBe(true);
  expect((await fetch(`${service}/images/a.jpg`)).status).toBe(403);
  process.env = before;
  azure.close();
});

test('the storage ends with its parent process, even if that is killed', async () => {
  const script = `
    import { startStorage } from ${JSON.stringify(import.meta.resolve('../../../src/dev/emulator/storage.ts'))};
    const { ready, images } = await startStorage(process.argv[1]);
    await ready;
    console.log(new URL(images.url).port);
    setInterval(() => {}, 1_000);`;
  const options = ['--input-type=module', '--eval', script, folder];
  const parent = spawn(process.execPath, options, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [port] = (await once(parent.stdout.setEncoding('utf8'), 'data')) as [string];
  expect(await isOpen(Number(port))).toBe(true);
  parent.kill('SIGKILL');
  await expect.poll(async () => isOpen(Number(port)), { timeout: 10_000 }).toBe(false);
});

describe('the images of a folder', () => {
  test('are uploaded under their paths, and again only if they changed', async () => {
    const { images } = await startReady();
    const pictures = join(folder, 'pictures');
    await mkdir(join(pictures, 'more'), { recursive: true });
    for (const name of ['a.JPG', 'more/b.png', 'notes.txt']) await writeFile(join(pictures, name), name);
    expect(await uploadImages(pictures, images)).toBe(2);
    const first = await etags();
    expect([...first.keys()]).toEqual(['a.JPG', 'more/b.png']);

    const later = new Date(Date.now() + 60_000);
    await utimes(join(pictures, 'a.JPG'), later, later);
    expect(await uploadImages(pictures, images)).toBe(2);
    const second = await etags();
    expect(second.get('a.JPG')).not.toBe(first.get('a.JPG'));
    expect(second.get('more/b.png')).toBe(first.get('more/b.png'));

    async function etags(): Promise<Map<string, string>> {
      const found = new Map<string, string>();
      for await (const { name, properties } of images.listBlobsFlat()) found.set(name, properties.etag);
      return found;
    }
  });
});

async function isOpen(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
