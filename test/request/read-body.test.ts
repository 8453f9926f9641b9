import { HttpRequest, InvocationContext } from '@azure/functions';
import { describe, expect, test, vi } from 'vitest';
import { toIncomingRequest } from '../../src/functions/incoming-request.ts';
import { Deadline } from '../../src/http/deadline.ts';
import { Admission } from '../../src/http/admission.ts';
import { takeMemory } from '../../src/http/spare-memory.ts';
import { type Incoming, readBody } from '../../src/request/read-body.ts';
import { imageTooLarge } from '../../src/image/faults.ts';

const LIMIT = { bytes: 100, exceeded: () => imageTooLarge(100) };

/** Makes a request that did not arrive at a server of this process, because a host may send bodies in another way. */
function incoming(
  body: string | ReadableStream | undefined,
  milliseconds: number,
  headers: Record<string, string> = {},
): Incoming {
  const request = new HttpRequest({
    method: 'POST',
    url: 'http://127.0.0.1/',
    headers,
    ...(typeof body === 'string' ? { body: { string: body } } : {}),
  });
  if (body instanceof ReadableStream) Object.defineProperty(request, 'body', { value: body });
  return {
    request: toIncomingRequest(request, new InvocationContext(), () => {}),
    deadline: new Deadline(milliseconds),
    reservation: new Admission(100).enter(),
  };
}

test('reads a body even if its connection is not known', async () => {
  expect(String(await readBody(incoming('hello', 1_000), LIMIT))).toBe('hello');
  expect(String(await readBody(incoming(undefined, 1_000), LIMIT))).toBe('');
});

test('throws request_timeout at the deadline if the body of such a request does not arrive', async () => {
  await expect(readBody(incoming(new ReadableStream(), 50), LIMIT)).rejects.toMatchObject({
    status: 408,
    code: 'request_timeout',
  });
});

test.each([
  ['gzip', 'gzip'],
  ['br', 'br'],
  ['GZIP, identity', 'GZIP'],
  ['deflate, gzip', 'deflate, gzip'],
  ['x-unknown', 'x-unknown'],
])('refuses Content-Encoding: %s, and names %s', async (header, encoding) => {
  await expect(readBody(incoming('hello', 1_000, { 'content-encoding': header }), LIMIT)).rejects.toMatchObject({
    status: 415,
    code: 'unsupported_encoding',
    message: expect.stringContaining(`Content-Encoding: ${encoding}.`),
    members: { encoding },
  });
});

test.each(['', 'identity', ' Identity ', 'identity,identity'])(
  'accepts Content-Encoding: "%s", which changes nothing',
  async (header) => {
    expect(String(await readBody(incoming('hello', 1_000, { 'content-encoding': header }), LIMIT))).toBe('hello');
  },
);

test('allocates no buffer for a body that the admission rejects', async () => {
  const admission = new Admission(100);
  admission.enter().grow(60);
  const kept: Buffer[] = [];
  const reservation = admission.enter();
  const full = {
    ...incoming('x'.repeat(50), 1_000, { 'content-length': '50' }),
    reservation: { ...reservation, keep: (buffers: readonly Buffer[]) => void kept.push(...buffers) },
  };
  await expect(readBody(full, LIMIT)).rejects.toMatchObject({ status: 503, code: 'overloaded' });
  expect(kept).toEqual([]);
});

const MIB = 1024 * 1024;

/** Makes a body without a Content-Length that arrives in chunks of 64 KiB. If there is a failure, it ends with it. */
function chunked(sent: Buffer, failure?: Error): ReadableStream {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at < sent.length) controller.enqueue(new Uint8Array(sent.subarray(at, (at += 65_536))));
      else if (failure) controller.error(failure);
      else controller.close();
    },
  });
}

function upTo(bytes: number): typeof LIMIT {
  return { bytes, exceeded: () => imageTooLarge(bytes) };
}

describe('a body of unknown length', () => {
  test.each([1, MIB, MIB + 1, 3_000_000, 4 * MIB, 4 * MIB + 1, 9_999_999, 20 * MIB])(
    'is read completely, and its memory is released afterwards: %d bytes',
    async (bytes) => {
      const sent = Buffer.alloc(bytes, 'abcdefg');
      const reservation = new Admission(bytes).enter();
      const body = await readBody({ ...incoming(chunked(sent), 30_000), reservation }, upTo(100 * MIB));
      expect(body.equals(sent)).toBe(true);
      reservation.leave();
      // Small buffers are left to the garbage collector.
      expect(body.length).toBe(bytes < 4_096 ? bytes : 0);
    },
  );

  test.each([
    [1.5, 2],
    [4, 4],
    [5, 8],
    [20, 32],
  ])('gets memory for its actual size, not for the limit: %d MiB get %d MiB', async (size, allocated) => {
    const reservation = new Admission(size * MIB).enter();
    const request = incoming(chunked(Buffer.alloc(size * MIB, 'x')), 30_000);
    const body = await readBody({ ...request, reservation }, upTo(100 * MIB));
    expect(body.buffer.byteLength).toBe(allocated * MIB);
    reservation.leave();
  });

  test('may be as large as the limit, and then gets less memory than the next power of two', async () => {
    const sent = Buffer.alloc(5_000_000, 'x');
    const reservation = new Admission(5_000_000).enter();
    const body = await readBody({ ...incoming(chunked(sent), 30_000), reservation }, upTo(5_000_000));
    expect(body.equals(sent)).toBe(true);
    expect(body.buffer.byteLength).toBeLessThan(8 * MIB);
    reservation.leave();
  });

  test('releases its memory if the connection breaks', async () => {
    const request = incoming(chunked(Buffer.alloc(6 * MIB, 'mine'), new Error('reset')), 30_000);
    const reservation = new Admission(6 * MIB).enter();
    await expect(readBody({ ...request, reservation }, upTo(100 * MIB))).rejects.toMatchObject({ status: 400 });
    reservation.leave();
    // The next request reuses its memory.
    expect([takeMemory(8 * MIB), takeMemory(4 * MIB)].map((memory) => memory.toString('latin1', 0, 4))).toEqual([
      'mine',
      'mine',
    ]);
  });
});

test('enlarges the memory of one body at a time, because a copy needs both its buffers', async () => {
  const [COUNT, MEGABYTE] = [24, 1024 * 1024];
  // Their buffers have 2, 4, 8, and in the end 16 MB.
  const limit = { bytes: 20 * MEGABYTE, exceeded: () => imageTooLarge(20 * MEGABYTE) };
  // Without spare memory of other tests.
  vi.resetModules();
  const [fresh, { Admission: FreshAdmission }] = await Promise.all([
    import('../../src/request/read-body.ts'),
    import('../../src/http/admission.ts'),
  ]);
  const admission = new FreshAdmission(COUNT * limit.bytes);
  const before = process.memoryUsage().arrayBuffers;
  let most = 0;
  async function* nineMegabytes(): AsyncGenerator<Uint8Array> {
    for (let sent = 0; sent < 36; sent += 1) {
      yield new Uint8Array(MEGABYTE / 4);
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }
  }
  const bodies = await Promise.all(
    Array.from({ length: COUNT }, async () => {
      const { request, deadline } = incoming(undefined, 60_000);
      const reservation = admission.enter();
      return fresh.readBody({ request: { ...request, body: nineMegabytes }, deadline, reservation }, limit);
    }),
  );
  expect(bodies.map(({ length }) => length)).toEqual(Array.from({ length: COUNT }, () => 9 * MEGABYTE));
  // Besides the buffers, there are the chunks, one copy, and spare memory of at most 64 MB and one buffer. If all bodies
  // were copied at the same time, there would be 8 MB more for each of them.
  expect(most / MEGABYTE).toBeLessThan(COUNT * 16 + 24 + 8 + 64 + 16);
});
