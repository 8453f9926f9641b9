import type { IncomingRequest } from '../http/incoming-request.ts';
import { CallerGone, type Deadline, DeadlinePassed } from '../http/deadline.ts';
import { invalidBody, Problem } from '../http/problem.ts';
import type { Reservation } from '../http/admission.ts';
import { releaseBuffer } from '../http/release-buffer.ts';
import { takeMemory } from '../http/spare-memory.ts';
import { inTurn } from '../http/turn.ts';

/** Bytes that are copied in one step, in well under a millisecond. */
const STEP_BYTES = 512 * 1024;
/** A body of unknown length is copied at its end if it has no more bytes than this. */
const SMALL_BYTES = 1024 * 1024;
/** How much larger the memory for a body of unknown length becomes each time it is full. */
const GROWTH = 2;
/** Characters that are shown of an encoding. */
const MAX_SHOWN = 100;

/** A request whose body is read, and what it is read under. */
export interface Incoming {
  readonly request: IncomingRequest;
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
  if (announced === undefined || announced > limit.bytes) return collect(chunks, limit, incoming.reservation);

  // The length is known, so every byte goes straight to its final place and is held once. The memory is taken when the
  // first chunk comes: the reservation has room for it by then.
  let body: Buffer | undefined;
  let length = 0;
  for await (const chunk of chunks) {
    if (!body) {
      body = takeMemory(announced);
      incoming.reservation.keep([body]);
    }
    if (length + chunk.length > announced) throw incomplete();
    body.set(chunk, length);
    length += chunk.length;
    releaseBuffer(chunk);
  }
  if (length < announced) throw incomplete();
  return body ?? Buffer.alloc(0);
}

/**
 * Reads a body whose length is not known. A large one goes into memory that grows with it. Memory for the largest body
 * that is taken would hold every body without a copy, but V8 answers so much outside its heap with full garbage collections.
 */
async function collect(chunks: AsyncIterable<Uint8Array>, limit: BodyLimit, reservation: Reservation): Promise<Buffer> {
  const waiting: Uint8Array[] = [];
  let body: Buffer | undefined;
  let received = 0;
  let length = 0;
  try {
    for await (const chunk of chunks) {
      waiting.push(chunk);
      received += chunk.length;
      if (received <= SMALL_BYTES) continue;
      if (!body || received > body.length) body = await enlarge(body, length, roomFor(received, limit));
      for (const each of waiting.splice(0)) {
        body.set(each, length);
        length += each.length;
        releaseBuffer(each);
      }
    }
  } catch (error) {
    if (body) releaseBuffer(body);
    throw error;
  }
  const whole = body ? body.subarray(0, length) : await joinChunks(waiting);
  reservation.keep([whole]);
  return whole;
}

/** Bytes to take for a body of which so many have arrived. There are few sizes, so that the memory of one body fits another. */
function roomFor(received: number, { bytes }: BodyLimit): number {
  let room = SMALL_BYTES * GROWTH;
  while (room < received) room *= GROWTH;
  return Math.min(room, bytes);
}

/** Takes larger memory for a body, copies what there is of it, step by step, and gives the smaller memory back. */
async function enlarge(body: Buffer | undefined, length: number, bytes: number): Promise<Buffer> {
  const larger = takeMemory(bytes);
  if (!body) return larger;
  for (let at = 0; at < length; at += STEP_BYTES) {
    const step = body.subarray(at, Math.min(at + STEP_BYTES, length));
    await inTurn(() => larger.set(step, at));
  }
  releaseBuffer(body);
  return larger;
}

/** Copies chunks into one buffer of exactly their length, step by step, and gives back their memory. */
export async function joinChunks(chunks: readonly Uint8Array[]): Promise<Buffer> {
  const joined = takeMemory(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    for (let from = 0; from < chunk.length; from += STEP_BYTES) {
      const step = chunk.subarray(from, from + STEP_BYTES);
      await inTurn(() => joined.set(step, at));
      at += step.length;
    }
    releaseBuffer(chunk);
  }
  return joined;
}

/**
 * A request's body as it arrives. A Content-Length over the limit is refused before a byte is read; a body without one,
 * as soon as it passes the limit.
 *
 * @throws {Problem} `unsupported_encoding` if it is compressed, the limit's own, `overloaded` if there is no room for it,
 * `request_timeout` if the deadline passes first, `invalid_request` if it breaks off
 */
export async function* bodyChunks(
  { request, deadline, reservation }: Incoming,
  limit: BodyLimit,
): AsyncGenerator<Uint8Array> {
  refuseEncoding(request.headers.get('content-encoding'));
  const announced = contentLength(request);
  if (announced !== undefined && announced > limit.bytes) throw limit.exceeded();
  reservation.grow(announced ?? 0);
  let length = 0;
  try {
    for await (const chunk of request.body(deadline.signal)) {
      length += chunk.length;
      if (length > limit.bytes) throw limit.exceeded();
      if (announced === undefined) reservation.grow(chunk.length);
      yield chunk;
    }
  } catch (error) {
    throw problemOf(error);
  } finally {
    request.discardRest();
  }
}

/** Nothing is decompressed here: a small body could become one of any size. */
function refuseEncoding(header: string | null): void {
  const codings = (header ?? '').split(',').map((coding) => coding.trim());
  const encoding = codings
    .filter((coding) => coding !== '' && coding.toLowerCase() !== 'identity')
    .join(', ')
    .slice(0, MAX_SHOWN);
  if (encoding === '') return;
  throw new Problem(
    'unsupported_encoding',
    `The body has Content-Encoding: ${encoding}. Send it as it is, without that header.`,
    // RFC 9110, section 12.5.3: which codings would have been taken.
    { members: { encoding }, headers: { 'accept-encoding': 'identity' } },
  );
}

function contentLength(request: IncomingRequest): number | undefined {
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
  return invalidBody('ended before all of it had arrived. Send it again', cause);
}
