import type { ClientRequest } from 'node:http';
import { releaseBuffer } from '../http/release-buffer.ts';
import { base64Length, CHUNK_BYTES, encodeBase64 } from './base64-encoder.ts';

/** A fast network takes all at once; after so many chunks, about a millisecond's work, others have their turn. */
const CHUNKS_PER_TURN = 32;

/**
 * A JSON body in which images stand as placeholders: written with each image's base64 in its placeholder's place, made
 * piece by piece as the socket takes it. The bytes are held once and their encoding never whole.
 */
export class RequestBody {
  readonly #parts: readonly (string | Buffer)[];

  constructor(json: string, images: ReadonlyMap<string, Buffer>) {
    this.#parts = splitAt(json, images);
  }

  /** Bytes of the whole body once written; known before the first of them is. */
  get length(): number {
    const lengths = this.#parts.map((part) =>
      typeof part === 'string' ? Buffer.byteLength(part) : base64Length(part.length),
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
      if (typeof part === 'string') {
        yield part;
      } else {
        for (let at = 0; at < part.length; at += CHUNK_BYTES) {
          yield place.subarray(0, encodeBase64(part.subarray(at, at + CHUNK_BYTES), place));
        }
      }
    }
    releaseBuffer(place);
    return undefined;
  }
}

function splitAt(json: string, images: ReadonlyMap<string, Buffer>): readonly (string | Buffer)[] {
  const parts: (string | Buffer)[] = [];
  let rest = json;
  for (const [placeholder, image] of images) {
    const at = rest.indexOf(placeholder);
    if (at < 0) throw new Error('an image has no place in the request');
    parts.push(rest.slice(0, at), image);
    rest = rest.slice(at + placeholder.length);
  }
  return [...parts, rest];
}
