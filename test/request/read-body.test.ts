import { HttpRequest, InvocationContext } from '@azure/functions';
import { expect, test } from 'vitest';
import { toIncomingRequest } from '../../src/functions/incoming-request.ts';
import { Deadline } from '../../src/http/deadline.ts';
import { Admission } from '../../src/http/admission.ts';
import { type Incoming, readBody } from '../../src/request/read-body.ts';
import { imageTooLarge } from '../../src/image/faults.ts';

const LIMIT = { bytes: 100, exceeded: () => imageTooLarge(100) };

/** A request that no server of this process has seen, as from a host that sends bodies through its own channel. */
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

test('a body is read also if its connection is not visible', async () => {
  expect(String(await readBody(incoming('hello', 1_000), LIMIT))).toBe('hello');
  expect(String(await readBody(incoming(undefined, 1_000), LIMIT))).toBe('');
});

test('and it is not waited for beyond the deadline', async () => {
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
])('Content-Encoding: %s is refused by its name', async (header, encoding) => {
  await expect(readBody(incoming('hello', 1_000, { 'content-encoding': header }), LIMIT)).rejects.toMatchObject({
    status: 415,
    code: 'unsupported_encoding',
    message: expect.stringContaining(`Content-Encoding: ${encoding}.`),
    members: { encoding },
  });
});

test.each(['', 'identity', ' Identity ', 'identity,identity'])(
  'Content-Encoding: "%s" changes nothing',
  async (header) => {
    expect(String(await readBody(incoming('hello', 1_000, { 'content-encoding': header }), LIMIT))).toBe('hello');
  },
);

test('memory is taken only after the admission has agreed', async () => {
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

test.each([1, 1024 * 1024, 1024 * 1024 + 1, 3_000_000])(
  'a body of unknown length is held once: %d bytes',
  async (bytes) => {
    const sent = Buffer.alloc(bytes, 'abcdefg');
    const stream = new ReadableStream({
      start(controller) {
        for (let at = 0; at < bytes; at += 65_536) controller.enqueue(new Uint8Array(sent.subarray(at, at + 65_536)));
        controller.close();
      },
    });
    const reservation = new Admission(4_000_000).enter();
    const limit = { bytes: 4_000_000, exceeded: () => imageTooLarge(4_000_000) };
    const body = await readBody({ ...incoming(stream, 5_000), reservation }, limit);
    expect(body.equals(sent)).toBe(true);
    reservation.leave();
    // Small buffers are left to the garbage collector.
    expect(body.length).toBe(bytes < 4_096 ? bytes : 0);
  },
);
