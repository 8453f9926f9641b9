import type { ClientRequest } from 'node:http';
import { releaseBuffer } from '../http/release-buffer.ts';
import { takeMemory } from '../http/spare-memory.ts';
import { base64Length, CHUNK_BYTES, encodeBase64 } from './base64-encoder.ts';

const NOTHING = Buffer.alloc(0);
/** Room for the JSON around an image. */
const JSON_BYTES = 16 * 1024;
/**
 * JSON and base64 are collected up to this many bytes before they are written: the base64 of four chunks. Each write is
 * a system call and wakes the receiver, so a few large ones are cheaper. A request with 1 MB takes a seventh less CPU
 * than with {@link SMALL_WRITE_BYTES} (2026-11-27).
 */
export const WRITE_BYTES = base64Length(4 * CHUNK_BYTES) + JSON_BYTES;
/** The same for a request that finds {@link MAX_LARGE_WRITERS} others: the base64 of one chunk. */
export const SMALL_WRITE_BYTES = base64Length(CHUNK_BYTES) + JSON_BYTES;
/**
 * How many requests may collect {@link WRITE_BYTES} at the same time. Admission does not count this memory, and a
 * network may be slow for many requests at once.
 */
export const MAX_LARGE_WRITERS = 16;
/** A fast network accepts a whole image at once. After this many bytes, about 1 ms of work, other requests run. */
const TURN_BYTES = 2 * 1024 * 1024;

/** The requests that are writing with {@link WRITE_BYTES}. */
const largeWriters = new Set<ClientRequest>();

/** The bytes of one image or file, in order. They are never joined, so metadata can be cut out without a copy. */
export type Pieces = readonly Buffer[];

/**
 * A JSON body with a placeholder for each image. When it is written, the image's base64 replaces the placeholder. It is
 * encoded in chunks as the socket accepts them, so memory holds each image once and never its whole base64.
 */
export class RequestBody {
  readonly #parts: readonly (string | Pieces)[];
  /** The bytes of the whole body, with the images. */
  readonly length: number;

  /** @throws {Error} if a placeholder is missing in the JSON, or the placeholders are in another order */
  constructor(json: string, images: ReadonlyMap<string, Pieces>) {
    this.#parts = splitAt(json, images);
    const lengths = this.#parts.map((part) =>
      typeof part === 'string' ? Buffer.byteLength(part) : base64Length(totalLength(part)),
    );
    this.length = lengths.reduce((sum, length) => sum + length, 0);
  }

  /** Writes the body as fast as the socket accepts it, until the request is destroyed or `stopped` returns true. */
  writeTo(request: ClientRequest, stopped: () => boolean): void {
    request.once('socket', () => {
      const place = takeMemory(Math.min(this.length, startWriting(request, this.length)));
      const writes = this.#writes(place);
      let sent = 0;
      let inTurn = 0;
      const next = (): void => {
        if (request.destroyed || stopped()) return;
        const { done, value } = writes.next();
        if (done) {
          releaseBuffer(place);
          largeWriters.delete(request);
          // If the app's own request ended early, its images have been freed, and the body is shorter than announced.
          if (sent === this.length) request.end();
          else request.destroy();
          return;
        }
        const bytes = Buffer.byteLength(value);
        sent += bytes;
        inTurn += bytes;
        request.write(value, written);
      };
      const written = (): void => {
        if (inTurn < TURN_BYTES) return next();
        inTurn = 0;
        setImmediate(next);
      };
      next();
    });
  }

  /** Yields what to write at once. It is valid only until the next one, because all are in `place`. */
  *#writes(place: Buffer): Generator<string | Buffer, undefined> {
    let used = 0;
    for (const piece of this.#pieces()) {
      const length = typeof piece === 'string' ? Buffer.byteLength(piece) : base64Length(piece.length);
      if (used > 0 && used + length > place.length) {
        yield place.subarray(0, used);
        used = 0;
      }
      // Only JSON can be too long for the buffer.
      if (typeof piece !== 'string') used += encodeBase64(piece, place.subarray(used));
      else if (length > place.length) yield piece;
      else used += place.write(piece, used);
    }
    if (used > 0) yield place.subarray(0, used);
    return undefined;
  }

  *#pieces(): Generator<string | Buffer, undefined> {
    for (const part of this.#parts) {
      if (typeof part === 'string') yield part;
      else yield* groupsOfThree(part);
    }
    return undefined;
  }
}

/**
 * Splits all pieces into chunks of at most {@link CHUNK_BYTES}. Base64 makes four characters of three bytes. So each
 * chunk except the last has a multiple of three bytes, and the encoded chunks can be joined. Three bytes that belong
 * together but lie in different pieces are copied. A piece whose memory was freed meanwhile has no bytes.
 */
function* groupsOfThree(pieces: Pieces): Generator<Buffer, undefined> {
  let rest: Buffer = NOTHING;
  for (const piece of pieces) {
    let at = rest.length === 0 ? 0 : Math.min(3 - rest.length, piece.length);
    if (at > 0) rest = Buffer.concat([rest, piece.subarray(0, at)]);
    if (rest.length === 3) {
      yield rest;
      rest = NOTHING;
    }
    while (piece.length - at >= 3) {
      const chunk = piece.subarray(at, at + Math.min(CHUNK_BYTES, piece.length - at - ((piece.length - at) % 3)));
      at += chunk.length;
      yield chunk;
    }
    if (rest.length === 0 && piece.length > at) rest = piece.subarray(at);
  }
  if (rest.length > 0) yield rest;
  return undefined;
}

/** Returns how many bytes a request may collect before it writes them. It counts as a writer until it is closed. */
function startWriting(request: ClientRequest, length: number): number {
  if (length <= SMALL_WRITE_BYTES || largeWriters.size >= MAX_LARGE_WRITERS) return SMALL_WRITE_BYTES;
  largeWriters.add(request);
  request.once('close', () => largeWriters.delete(request));
  return WRITE_BYTES;
}

function totalLength(pieces: Pieces): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

function splitAt(json: string, images: ReadonlyMap<string, Pieces>): readonly (string | Pieces)[] {
  const parts: (string | Pieces)[] = [];
  let rest = json;
  for (const [placeholder, image] of images) {
    const at = rest.indexOf(placeholder);
    if (at < 0) throw new Error('the request has no placeholder for an image');
    parts.push(rest.slice(0, at), image);
    rest = rest.slice(at + placeholder.length);
  }
  return [...parts, rest];
}
