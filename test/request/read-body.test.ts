import { HttpRequest } from '@azure/functions';
import { expect, test } from 'vitest';
import { Deadline } from '../../src/http/deadline.ts';
import { Admission } from '../../src/http/admission.ts';
import { Connection } from '../../src/functions/connection.ts';
import { type Incoming, readBody } from '../../src/request/read-body.ts';
import { imageTooLarge } from '../../src/image/faults.ts';

const LIMIT = { bytes: 100, exceeded: () => imageTooLarge(100) };

/** A request that no server of this process has seen, as where the host sends bodies through its own channel. */
function incoming(body: string | undefined, milliseconds: number): Incoming {
  const request = new HttpRequest({
    method: 'POST',
    url: 'http://127.0.0.1/',
    ...(body === undefined ? {} : { body: { string: body } }),
  });
  return {
    request,
    connection: new Connection('of nobody'),
    deadline: new Deadline(milliseconds),
    reservation: new Admission(100).enter(),
  };
}

test('a body is read also where its connection is not to be seen', async () => {
  expect(String(await readBody(incoming('hello', 1_000), LIMIT))).toBe('hello');
  expect(String(await readBody(incoming(undefined, 1_000), LIMIT))).toBe('');
});

test('and no longer waited for than the deadline allows', async () => {
  const stalled = incoming(undefined, 50);
  Object.defineProperty(stalled.request, 'body', { value: new ReadableStream() });
  await expect(readBody(stalled, LIMIT)).rejects.toMatchObject({ status: 408, code: 'request_timeout' });
});
