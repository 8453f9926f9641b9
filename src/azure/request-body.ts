import type { ClientRequest } from 'node:http';
import { releaseBuffer } from '../http/release-buffer.ts';
import { base64Length, CHUNK_BYTES, encodeBase64 } from './base64-encoder.ts';

const NOTHING = Buffer.alloc(0);
/** A fast network takes all at once; after so many chunks, about a millisecond's work, others have their turn. */
const CHUNKS_PER_TURN = 32;

/** The bytes of one image or file, in their order. They are never joined, so metadata can be left out without a copy. */
export type Pieces = readonly Buffer[];

/**
 * A JSON body in which images stand as placeholders: written with each image's base64 in its placeholder's place, made
 * piece by piece as the socket takes it. The bytes are held once and their encoding never whole.
 */
export class RequestBody {
  readonly #parts: readonly (string | Pieces)[];

  constructor(json: string, images: ReadonlyMap<string, Pieces>) {
    this.#parts = splitAt(json, images);
  }

  /** Bytes of the whole body once written; known before the first of them is. */
  get length(): number {
    const lengths = this.#parts.map((part) =>
      typeof part === 'string' ? Buffer.byteLength(part) : base64Length(totalLength(part)),
    );
    return lengths.reduce((sum, length) => sum + length, 0);
  }

  /** Writes it at the pace of the socket, and stops when the request is destroyed or `stopped` says so. */
  writeTo(request: ClientRequest, stopped: () => boolean): void {
    const chunks = this.#chunks();
    const { length } = this;
    let sent = 0;
    let left = CHUNKS_PER_TURN;
    const next = (): void => {
      if (request.destroyed || stopped()) return;
      const { done, value } = chunks.next();
      if (done) {
        // An image is given back when its request is over, be it that the model answered before it had all of it.
        if (sent === length) request.end();
        else request.destroy();
        return;
      }
      sent += typeof value === 'string' ? Buffer.byteLength(value) : value.length;
      request.write(value, written);
    };
    const written = (): void => {
      left -= 1;
      if (left > 0) return next();
      left = CHUNKS_PER_TURN;
      setImmediate(next);
    };
    request.once('socket', next);
  }

  /** Each is good until the next is asked for: they are made in the same place, so that none of them is garbage. */
  *#chunks(): Generator<string | Uint8Array, undefined> {
    const place = Buffer.allocUnsafeSlow(base64Length(CHUNK_BYTES));
    for (const part of this.#parts) {
      if (typeof part === 'string') yield part;
      else for (const chunk of groupsOfThree(part)) yield place.subarray(0, encodeBase64(chunk, place));
    }
    releaseBuffer(place);
    return undefined;
  }
}

/**
 * The bytes of all pieces in chunks of at most {@link CHUNK_BYTES}. Three bytes are four characters of base64, so each chunk
 * but the last has a multiple of three: its encodings can then be joined. Where a group of three lies across a border
 * between pieces, it is copied together. A piece whose memory was given back meanwhile has no bytes any more.
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
    if (at < 0) throw new Error('an image has no place in the request');
    parts.push(rest.slice(0, at), image);
    rest = rest.slice(at + placeholder.length);
  }
  return [...parts, rest];
}
