import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { Admission } from '../../src/http/admission.ts';
import { CallerGone, Deadline } from '../../src/http/deadline.ts';
import { Problem } from '../../src/http/problem.ts';
import { releaseBuffer } from '../../src/http/release-buffer.ts';
import { takeMemory } from '../../src/http/spare-memory.ts';
import { Storage } from '../../src/storage/account.ts';
import { readBlob } from '../../src/storage/read-blob.ts';

const BYTES = Buffer.from('the bytes of an image');
const deadlines: Deadline[] = [];
afterEach(() => {
  for (const deadline of deadlines.splice(0)) deadline.clear();
});

/** A storage account that answers as it is told, and what it was asked. */
async function storageThat(answers: RequestListener): Promise<{ container: string; requests: IncomingMessage[] }> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    response.setHeader('etag', '"1"');
    answers(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { container: `http://127.0.0.1:${(server.address() as AddressInfo).port}/photos/images`, requests };
}

function read(
  container: string,
  { name = 'a.png', deadline = new Deadline(10_000), maxBytes = 1_000, admission = new Admission(1_000_000) } = {},
): Promise<Buffer> {
  deadlines.push(deadline);
  const storage = new Storage({ get: async () => 'TOKEN', discard: () => undefined });
  return readBlob(storage.container(container), name, { deadline, reservation: admission.enter(), maxBytes });
}

test('the bytes come, for the token, under the encoded name', async () => {
  const { container, requests } = await storageThat((_, response) => {
    response.writeHead(200, { 'content-length': BYTES.length }).end(BYTES);
  });
  expect(await read(container, { name: 'a b/食#?.png' })).toEqual(BYTES);
  expect(requests.map(({ method, url, headers }) => [method, url, headers.authorization])).toEqual([
    ['GET', '/photos/images/a%20b/%E9%A3%9F%23%3F.png', 'Bearer TOKEN'],
  ]);
});

test.each([
  [403, 1, { code: 'storage_access_denied', members: { role: 'Storage Blob Data Reader', account: 'photos' } }],
  [401, 1, { code: 'storage_access_denied' }],
  [404, 1, { code: 'blob_not_found', status: 404 }],
  [409, 1, { code: 'storage_error', members: { account: 'photos' } }],
  [500, 3, { code: 'storage_error' }],
  [503, 3, { code: 'storage_error' }],
])('a %i is asked %i times', async (status, times, problem) => {
  const { container, requests } = await storageThat((_, response) => void response.writeHead(status).end());
  const failure = await read(container).catch((error: unknown) => error);
  expect(failure).toMatchObject(problem);
  expect(requests).toHaveLength(times);
});

test('a refusal says the command that mends it', async () => {
  const { container } = await storageThat((_, response) => void response.writeHead(403).end());
  await expect(read(container)).rejects.toThrow(
    /az role assignment create --role 'Storage Blob Data Reader' --assignee-object-id .* --scope .*5 to 10 minutes/s,
  );
});

test('a 503 that passes is not seen', async () => {
  let asked = 0;
  const { container } = await storageThat((_, response) => {
    asked += 1;
    if (asked === 1) response.writeHead(503).end();
    else response.writeHead(200, { 'content-length': BYTES.length }).end(BYTES);
  });
  expect(await read(container)).toEqual(BYTES);
});

test.each([301, 302, 303, 307, 308])('a redirect (%i) is not followed', async (status) => {
  const elsewhere = await storageThat((_, response) => void response.end(BYTES));
  const { container, requests } = await storageThat(
    (_, response) => void response.writeHead(status, { location: `${elsewhere.container}/a.png` }).end(),
  );
  await expect(read(container)).rejects.toMatchObject({
    code: 'storage_error',
    detail: expect.stringContaining('redirect') as string,
  });
  expect(requests).toHaveLength(1);
  expect(elsewhere.requests).toEqual([]);
});

test.each([301, 302, 303, 307, 308])('nor is one to another blob of the same account (%i)', async (status) => {
  const { container, requests } = await storageThat(
    (_, response) => void response.writeHead(status, { location: '/photos/private/a.png' }).end(),
  );
  await expect(read(container)).rejects.toMatchObject({ code: 'storage_error' });
  expect(requests).toHaveLength(1);
});

describe('lengths', () => {
  test('an image over the limit is refused by its length, and its download ends', async () => {
    let closed: Promise<unknown> | undefined;
    const { container } = await storageThat((request, response) => {
      closed = once(request.socket, 'close');
      response.writeHead(200, { 'content-length': 1_001 }).write('x');
    });
    await expect(read(container)).rejects.toMatchObject({ code: 'image_too_large', members: { limit: 1_000 } });
    await closed;
  });

  test.each([
    ['its storage breaks off', (socket: Socket) => void socket.destroy()],
    ['its caller leaves', (_: Socket, deadline: Deadline) => deadline.abandon()],
  ])('a refused one causes no error that nobody hears when %s', async (_, happens) => {
    for (const headers of [{ 'content-length': 1_001 }, { 'content-length': 100, 'content-encoding': 'gzip' }]) {
      const deadline = new Deadline(10_000);
      const { container, requests } = await storageThat((_request, response) => {
        response.writeHead(200, headers).write('x');
      });
      await expect(read(container, { deadline })).rejects.toBeInstanceOf(Problem);
      for (const { socket } of requests) happens(socket, deadline);
      await closedBy(requests);
      // Vitest fails if the process has an uncaught error.
      await new Promise((resolve) => setImmediate(resolve));
    }
  });

  test('one of exactly the limit is read, and so is an empty one', async () => {
    for (const bytes of [Buffer.alloc(1_000, 'x'), Buffer.alloc(0)]) {
      const { container } = await storageThat((_, response) => {
        response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
      });
      expect(await read(container)).toEqual(bytes);
    }
  });

  test('one that breaks off is a failure of storage', async () => {
    const { container } = await storageThat((_, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('x', () => response.destroy());
    });
    await expect(read(container)).rejects.toMatchObject({ code: 'storage_error' });
  });

  test('one that comes without its length is a failure of storage, not an image without bytes', async () => {
    const { container } = await storageThat((_, response) => {
      response.writeHead(200, { 'transfer-encoding': 'chunked' }).end(BYTES);
    });
    await expect(read(container)).rejects.toMatchObject({ code: 'storage_error' });
  });

  test('a large one is read into the memory of a request that is over', async () => {
    const bytes = Buffer.alloc(1_000_000, 'abcdefg');
    const { container } = await storageThat((_, response) => {
      response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
    });
    const used = takeMemory(bytes.length);
    new Uint8Array(used.buffer).fill(7);
    releaseBuffer(used);
    const blob = await read(container, { maxBytes: bytes.length });
    expect(blob.equals(bytes)).toBe(true);
    // Behind its end is what was there before.
    expect(new Uint8Array(blob.buffer).at(-1)).toBe(7);
  });

  test('a blob with a Content-Encoding is not decompressed', async () => {
    const { container } = await storageThat((_, response) => {
      response.writeHead(200, { 'content-length': BYTES.length, 'content-encoding': 'gzip' }).end(BYTES);
    });
    await expect(read(container)).rejects.toMatchObject({
      code: 'unsupported_encoding',
      members: { encoding: 'gzip' },
    });
  });
});

test('what does not fit into memory beside others is refused before it is taken', async () => {
  const { container } = await storageThat((_, response) => {
    response.writeHead(200, { 'content-length': 500 }).end(Buffer.alloc(500));
  });
  const admission = new Admission(600);
  admission.enter().grow(200);
  await expect(read(container, { admission })).rejects.toMatchObject({ code: 'overloaded' });
});

describe.each([
  ['before it answers', false],
  ['in the middle of its answer', true],
])('storage that hangs %s', (_, begins) => {
  const hang: RequestListener = (_request, response) => {
    if (begins) response.writeHead(200, { 'content-length': 100 }).write('x');
  };

  test('is waited for as long as the request has', async () => {
    const { container, requests } = await storageThat(hang);
    const failure = await read(container, { deadline: new Deadline(300) }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'storage_error', detail: expect.stringContaining('in time') as string });
    await closedBy(requests);
  });

  test('is left when the caller leaves', async () => {
    const { container, requests } = await storageThat(hang);
    const deadline = new Deadline(10_000);
    setTimeout(() => deadline.abandon(), 200);
    await expect(read(container, { deadline })).rejects.toBeInstanceOf(CallerGone);
    await closedBy(requests);
  });
});

test('a storage account that cannot be reached is said to be so', async () => {
  await expect(read('http://127.0.0.1:9/photos/images')).rejects.toMatchObject({
    code: 'storage_error',
    detail: expect.stringContaining('cannot be reached') as string,
  });
});

test('without a token, storage is not asked, and the problem is that of the identity', async () => {
  const { container, requests } = await storageThat((_, response) => void response.end());
  const problem = new Problem('identity_unavailable', 'The service could not sign in to Azure.');
  const storage = new Storage({ get: async () => Promise.reject(problem), discard: () => undefined });
  const deadline = new Deadline(10_000);
  deadlines.push(deadline);
  const options = { deadline, reservation: new Admission(1_000).enter(), maxBytes: 1_000 };
  await expect(readBlob(storage.container(container), 'a.png', options)).rejects.toBe(problem);
  expect(requests).toEqual([]);
});

test('a token that storage refuses is thrown away', async () => {
  const { container } = await storageThat((_, response) => void response.writeHead(401).end());
  const discarded: string[] = [];
  const storage = new Storage({ get: async () => 'TOKEN', discard: (token) => void discarded.push(token) });
  const deadline = new Deadline(10_000);
  deadlines.push(deadline);
  const options = { deadline, reservation: new Admission(1_000).enter(), maxBytes: 1_000 };
  await expect(readBlob(storage.container(container), 'a.png', options)).rejects.toMatchObject({ status: 502 });
  expect(discarded).toEqual(['TOKEN']);
});

async function closedBy(requests: readonly IncomingMessage[]): Promise<void> {
  expect(requests.length).toBeGreaterThan(0);
  await Promise.all(requests.map(async ({ socket }) => socket.destroyed || once(socket, 'close')));
}
