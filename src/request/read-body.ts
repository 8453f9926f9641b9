import type { IncomingRequest } from '../http/incoming-request.ts';
import { CallerGone, type Deadline, DeadlinePassed } from '../http/deadline.ts';
import { invalidBody, Problem, shorten } from '../http/problem.ts';
import type { Reservation } from '../http/admission.ts';
import { releaseBuffer } from '../http/release-buffer.ts';
import { takeMemory } from '../http/spare-memory.ts';
import { runStep } from '../http/event-loop.ts';

/** Bytes to copy in one step, which takes well under a millisecond. */
const STEP_BYTES = 512 * 1024;
/** A body of unknown length is collected in chunks up to this many bytes, and joined at its end. */
const SMALL_BYTES = 1024 * 1024;
/** Factor by which the memory for a body of unknown length grows when it is full. */
const GROWTH = 2;

/** A request whose body is read, with the deadline and the memory reservation that apply. */
export interface Incoming {
  readonly request: IncomingRequest;
  readonly deadline: Deadline;
  readonly reservation: Reservation;
}

/** How large a body may be, and the problem for a larger one. */
export interface BodyLimit {
  /** Bytes. */
  readonly bytes: number;
  readonly exceeded: () => Problem;
}

/**
 * Reads a request's body into one buffer. The reservation keeps the buffer until the request ends.
 * @throws {Problem} like {@link bodyChunks}; `invalid_request` if the body does not match its Content-Length
 */
export async function readBody(incoming: Incoming, limit: BodyLimit): Promise<Buffer> {
  const announced = contentLength(incoming.request);
  const chunks = bodyChunks(incoming, limit);
  if (announced === undefined || announced > limit.bytes) return collect(chunks, limit, incoming.reservation);

  // The length is known, so each byte is copied straight to its final place. Memory is taken when the first chunk
  // comes, because only then the reservation has room for it.
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
 * Reads a body of unknown length. The buffer of a large body grows with it. A buffer of the largest size would need no
 * copies, but so much memory outside V8's heap causes full garbage collections.
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

/**
 * Returns how large a buffer to take for a body of which `received` bytes have arrived. There are only a few sizes, so
 * that the memory of one body fits another.
 */
function roomFor(received: number, { bytes }: BodyLimit): number {
  let room = SMALL_BYTES * GROWTH;
  while (room < received) room *= GROWTH;
  return Math.min(room, bytes);
}

/**
 * The copy that began last. Bodies are enlarged one after the other: during a copy, both buffers are in memory, and 32
 * images of 20 MB that grow at the same time would take twice their size.
 */
let lastCopy: Promise<unknown> = Promise.resolve();

/** Takes a larger buffer for a body, copies the first `length` bytes in steps, and releases the smaller buffer. */
async function enlarge(body: Buffer | undefined, length: number, bytes: number): Promise<Buffer> {
  if (!body) return takeMemory(bytes);
  const copy = lastCopy.then(async () => moveTo(bytes, body, length));
  // If there is no memory for one body, the next one may still find some.
  lastCopy = copy.catch(() => undefined);
  return copy;
}

async function moveTo(bytes: number, body: Buffer, length: number): Promise<Buffer> {
  const larger = takeMemory(bytes);
  for (let at = 0; at < length; at += STEP_BYTES) {
    const step = body.subarray(at, Math.min(at + STEP_BYTES, length));
    await runStep(() => larger.set(step, at));
  }
  releaseBuffer(body);
  return larger;
}

/** Copies chunks into one buffer of exactly their total length, in steps. Releases the memory of the chunks. */
export async function joinChunks(chunks: readonly Uint8Array[]): Promise<Buffer> {
  const joined = takeMemory(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    for (let from = 0; from < chunk.length; from += STEP_BYTES) {
      const step = chunk.subarray(from, from + STEP_BYTES);
      await runStep(() => joined.set(step, at));
      at += step.length;
    }
    releaseBuffer(chunk);
  }
  return joined;
}

/**
 * Yields the chunks of a request's body as they arrive. A Content-Length over the limit is refused before anything is
 * read. A body without a Content-Length is refused as soon as it exceeds the limit.
 *
 * @throws {Problem} `unsupported_encoding` if the body is compressed, the limit's problem if it is too large,
 * `overloaded` if the reservation has no room, `request_timeout` if the deadline passes first, `invalid_request` if the
 * body breaks off
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

/** Refuses compressed bodies. A small one could decompress to any size. */
function refuseEncoding(header: string | null): void {
  const codings = (header ?? '').split(',').map((coding) => coding.trim());
  const encoding = shorten(codings.filter((coding) => coding !== '' && coding.toLowerCase() !== 'identity').join(', '));
  if (encoding === '') return;
  throw new Problem(
    'unsupported_encoding',
    `The body has Content-Encoding: ${encoding}. Send it as it is, without that header.`,
    // Accept-Encoding says which codings the server takes: RFC 9110, section 12.5.3.
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
