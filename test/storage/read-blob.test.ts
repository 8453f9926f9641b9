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

/**
 * Starts a server in place of a storage account.
 * @returns the URL of a container in it, and the requests that it has received so far
 */
async function startAccount(answers: RequestListener): Promise<{ container: string; requests: IncomingMessage[] }> {
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

test('reads a blob from its percent-encoded URL, with the token', async () => {
  const { container, requests } = await startAccount((_, response) => {
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
])('sends a request that is answered with %i %i time(s)', async (status, times, problem) => {
  const { container, requests } = await startAccount((_, response) => void response.writeHead(status).end());
  const failure = await read(container).catch((error: unknown) => error);
  expect(failure).toMatchObject(problem);
  expect(requests).toHaveLength(times);
});

test('the problem of a 403 names the command that assigns the role', async () => {
  const { container } = await startAccount((_, response) => void response.writeHead(403).end());
  await expect(read(container)).rejects.toThrow(
    /az role assignment create --role 'Storage Blob Data Reader' --assignee-object-id .* --scope .*5 to 10 minutes/s,
  );
});

test('retries after a 503', async () => {
  let asked = 0;
  const { container } = await startAccount((_, response) => {
    asked += 1;
    if (asked === 1) response.writeHead(503).end();
    else response.writeHead(200, { 'content-length': BYTES.length }).end(BYTES);
  });
  expect(await read(container)).toEqual(BYTES);
});

test.each([301, 302, 303, 307, 308])('does not follow a redirect to another server (%i)', async (status) => {
  const elsewhere = await startAccount((_, response) => void response.end(BYTES));
  const { container, requests } = await startAccount(
    (_, response) => void response.writeHead(status, { location: `${elsewhere.container}/a.png` }).end(),
  );
  await expect(read(container)).rejects.toMatchObject({
    code: 'storage_error',
    detail: expect.stringContaining('redirect') as string,
  });
  expect(requests).toHaveLength(1);
  expect(elsewhere.requests).toEqual([]);
});

test.each([301, 302, 303, 307, 308])('does not follow a redirect in the same account (%i)', async (status) => {
  const { container, requests } = await startAccount(
    (_, response) => void response.writeHead(status, { location: '/photos/private/a.png' }).end(),
  );
  await expect(read(container)).rejects.toMatchObject({ code: 'storage_error' });
  expect(requests).toHaveLength(1);
});

describe('a blob', () => {
  test('is refused by its Content-Length if it exceeds the limit, and its download ends', async () => {
    let closed: Promise<unknown> | undefined;
    const { container } = await startAccount((request, response) => {
      closed = once(request.socket, 'close');
      response.writeHead(200, { 'content-length': 1_001 }).write('x');
    });
    await expect(read(container)).rejects.toMatchObject({ code: 'image_too_large', members: { limit: 1_000 } });
    await closed;
  });

  test.each([
    ['the connection to storage breaks', (socket: Socket) => void socket.destroy()],
    ['the client disconnects', (_: Socket, deadline: Deadline) => deadline.abandon()],
  ])('causes no uncaught error if it was refused, and then %s', async (_, disconnect) => {
    for (const headers of [{ 'content-length': 1_001 }, { 'content-length': 100, 'content-encoding': 'gzip' }]) {
      const deadline = new Deadline(10_000);
      const { container, requests } = await startAccount((_request, response) => {
        response.writeHead(200, headers).write('x');
      });
      await expect(read(container, { deadline })).rejects.toBeInstanceOf(Problem);
      for (const { socket } of requests) disconnect(socket, deadline);
      await closedBy(requests);
      // Vitest fails if the process has an uncaught error.
      await new Promise((resolve) => setImmediate(resolve));
    }
  });

  test('is read if it is as large as the limit, or empty', async () => {
    for (const bytes of [Buffer.alloc(1_000, 'x'), Buffer.alloc(0)]) {
      const { container } = await startAccount((_, response) => {
        response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
      });
      expect(await read(container)).toEqual(bytes);
    }
  });

  test('causes storage_error if the connection breaks in the middle', async () => {
    const { container } = await startAccount((_, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('x', () => response.destroy());
    });
    await expect(read(container)).rejects.toMatchObject({ code: 'storage_error' });
  });

  test('causes storage_error if it has no Content-Length, and is not read as an empty image', async () => {
    const { container } = await startAccount((_, response) => {
      response.writeHead(200, { 'transfer-encoding': 'chunked' }).end(BYTES);
    });
    await expect(read(container)).rejects.toMatchObject({ code: 'storage_error' });
  });

  test('is read into memory that an earlier request has released, if it is large', async () => {
    const bytes = Buffer.alloc(1_000_000, 'abcdefg');
    const { container } = await startAccount((_, response) => {
      response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
    });
    const used = takeMemory(bytes.length);
    new Uint8Array(used.buffer).fill(7);
    releaseBuffer(used);
    const blob = await read(container, { maxBytes: bytes.length });
    expect(blob.equals(bytes)).toBe(true);
    // After the end of the blob, the memory still has its earlier content.
    expect(new Uint8Array(blob.buffer).at(-1)).toBe(7);
  });

  test('is refused, and not decompressed, if it has a Content-Encoding', async () => {
    const { container } = await startAccount((_, response) => {
      response.writeHead(200, { 'content-length': BYTES.length, 'content-encoding': 'gzip' }).end(BYTES);
    });
    await expect(read(container)).rejects.toMatchObject({
      code: 'unsupported_encoding',
      members: { encoding: 'gzip' },
    });
  });
});

test('throws overloaded if there is no memory left for the blob beside other requests', async () => {
  const { container } = await startAccount((_, response) => {
    response.writeHead(200, { 'content-length': 500 }).end(Buffer.alloc(500));
  });
  const admission = new Admission(600);
  admission.enter().grow(200);
  await expect(read(container, { admission })).rejects.toMatchObject({ code: 'overloaded' });
});

describe.each([
  ['before it answers', false],
  ['in the middle of its answer', true],
])('if storage hangs %s', (_, begins) => {
  const hang: RequestListener = (_request, response) => {
    if (begins) response.writeHead(200, { 'content-length': 100 }).write('x');
  };

  test('throws storage_error at the deadline, and closes the connection', async () => {
    const { container, requests } = await startAccount(hang);
    const failure = await read(container, { deadline: new Deadline(300) }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'storage_error', detail: expect.stringContaining('in time') as string });
    await closedBy(requests);
  });

  test('closes the connection if the client disconnects', async () => {
    const { container, requests } = await startAccount(hang);
    const deadline = new Deadline(10_000);
    setTimeout(() => deadline.abandon(), 200);
    await expect(read(container, { deadline })).rejects.toBeInstanceOf(CallerGone);
    await closedBy(requests);
  });
});

test('the problem says if the storage account cannot be reached', async () => {
  await expect(read('http://127.0.0.1:9/photos/images')).rejects.toMatchObject({
    code: 'storage_error',
    detail: expect.stringContaining('cannot be reached') as string,
  });
});

test('without a token, sends no request to storage, and throws the problem of the identity', async () => {
  const { container, requests } = await startAccount((_, response) => void response.end());
  const problem = new Problem('identity_unavailable', 'The service could not sign in to Azure.');
  const storage = new Storage({ get: async () => Promise.reject(problem), discard: () => undefined });
  const deadline = new Deadline(10_000);
  deadlines.push(deadline);
  const options = { deadline, reservation: new Admission(1_000).enter(), maxBytes: 1_000 };
  await expect(readBlob(storage.container(container), 'a.png', options)).rejects.toBe(problem);
  expect(requests).toEqual([]);
});

test('discards a token that storage refuses', async () => {
  const { container } = await startAccount((_, response) => void response.writeHead(401).end());
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
