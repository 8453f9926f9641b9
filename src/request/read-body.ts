import type { HttpRequest } from '@azure/functions';
import { CallerGone, type Deadline, DeadlinePassed } from '../http/deadline.ts';
import { Problem } from '../http/problem.ts';
import type { Reservation } from '../http/admission.ts';
import type { Connection } from '../functions/connection.ts';
import { releaseBuffer } from '../http/release-buffer.ts';
import { invalidRequest } from '../http/invalid-request.ts';

/** A request whose body is read, and what it is read under. */
export interface Incoming {
  readonly request: HttpRequest;
  readonly connection: Connection;
  readonly deadline: Deadline;
  readonly reservation: Reservation;
}

/** How much of a body is taken, and what to say of a larger one. */
export interface BodyLimit {
  /** Bytes. */
  readonly bytes: number;
  readonly exceeded: () => Problem;
}

/**
 * Reads a request's body into one buffer, which is kept until the request is over.
 * @throws {Problem} as {@link bodyChunks} does
 */
export async function readBody(incoming: Incoming, limit: BodyLimit): Promise<Buffer> {
  const announced = contentLength(incoming.request);
  const chunks = bodyChunks(incoming, limit);
  if (announced === undefined || announced > limit.bytes) return collect(chunks, incoming.reservation);

  // The length is known, so every byte goes straight to its final place and is held once.
  const body = Buffer.allocUnsafeSlow(announced);
  incoming.reservation.keep([body]);
  let length = 0;
  for await (const chunk of chunks) {
    if (length + chunk.length > announced) throw incomplete();
    body.set(chunk, length);
    length += chunk.length;
    releaseBuffer(chunk);
  }
  if (length < announced) throw incomplete();
  return body;
}

async function collect(chunks: AsyncIterable<Uint8Array>, reservation: Reservation): Promise<Buffer> {
  const all = await Array.fromAsync(chunks);
  const body = Buffer.concat(all);
  reservation.keep([body]);
  for (const chunk of all) releaseBuffer(chunk);
  return body;
}

/**
 * A request's body as it arrives. A Content-Length over the limit is refused before a byte is read; a body without one,
 * as soon as it passes the limit.
 *
 * @throws {Problem} the limit's own, `overloaded` when there is no room for it, `request_timeout` when the deadline passes first, `invalid_request` when it breaks off
 */
export async function* bodyChunks(
  { request, connection, deadline, reservation }: Incoming,
  limit: BodyLimit,
): AsyncGenerator<Uint8Array> {
  const announced = contentLength(request);
  if (announced !== undefined && announced > limit.bytes) throw limit.exceeded();
  reservation.grow(announced ?? 0);
  let length = 0;
  try {
    for await (const chunk of connection.body(deadline.signal) ?? raced(request, deadline)) {
      length += chunk.length;
      if (length > limit.bytes) throw limit.exceeded();
      if (announced === undefined) reservation.grow(chunk.length);
      yield chunk;
    }
  } catch (error) {
    throw problemOf(error);
  } finally {
    connection.discardRest();
  }
}

/** Where the library's own stream is all there is, which knows nothing of a deadline. */
async function* raced({ body }: HttpRequest, deadline: Deadline): AsyncGenerator<Uint8Array> {
  if (!body) return;
  const chunks = body[Symbol.asyncIterator]();
  for (;;) {
    const { done, value } = await deadline.race(chunks.next());
    if (done) return;
    yield value;
  }
}

function contentLength(request: HttpRequest): number | undefined {
  const header = request.headers.get('content-length');
  return header !== null && /^\d+$/.test(header) ? Number(header) : undefined;
}

function problemOf(error: unknown): Error {
  if (error instanceof Problem || error instanceof CallerGone) return error;
  if (!(error instanceof DeadlinePassed)) return incomplete(error);
  return new Problem(
    'request_timeout',
    'The body did not arrive in time. Send it again, over a faster connection or smaller.',
  );
}

function incomplete(cause?: unknown): Problem {
  return invalidRequest([{ field: 'body', message: 'ended before all of it had arrived. Send it again' }], cause);
}
