import type { ClientRequest } from 'node:http';
import { releaseBuffer } from '../http/release-buffer.ts';
import { base64Length, CHUNK_BYTES, encodeBase64 } from './base64-encoder.ts';

const NOTHING = Buffer.alloc(0);
/**
 * JSON and base64 are collected up to this many bytes before they are written: the base64 of one chunk, with room for
 * the JSON around an image. Each write is a system call and wakes the receiver, so a few large ones are cheaper.
 */
const WRITE_BYTES = base64Length(CHUNK_BYTES) + 16 * 1024;
/** A fast network accepts a whole image at once. After this many writes, about 1 ms of work, other requests run. */
const WRITES_PER_TURN = 8;

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
    const writes = this.#writes();
    const { length } = this;
    let sent = 0;
    let left = WRITES_PER_TURN;
    const next = (): void => {
      if (request.destroyed || stopped()) return;
      const { done, value } = writes.next();
      if (done) {
        // If the app's own request ended early, its images have been freed, and the body is shorter than announced.
        if (sent === length) request.end();
        else request.destroy();
        return;
      }
      sent += Buffer.byteLength(value);
      request.write(value, written);
    };
    const written = (): void => {
      left -= 1;
      if (left > 0) return next();
      left = WRITES_PER_TURN;
      setImmediate(next);
    };
    request.once('socket', next);
  }

  /** Yields what to write at once. It is valid only until the next one, because all use the same buffer. */
  *#writes(): Generator<string | Buffer, undefined> {
    const place = Buffer.allocUnsafeSlow(Math.min(this.length, WRITE_BYTES));
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
    releaseBuffer(place);
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
