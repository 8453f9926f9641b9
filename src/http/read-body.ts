import type { HttpRequest } from '@azure/functions';
import { Problem } from '../problem.ts';
import { type Deadline, DeadlinePassed } from './deadline.ts';

/** How much of a body is taken, and what to say of a larger one. */
export interface BodyLimit {
  /** Bytes. */
  readonly bytes: number;
  readonly exceeded: () => Problem;
}

/**
 * Reads a request's body into one buffer.
 * A Content-Length over the limit is refused before a byte is read; a body without one, as soon as it passes the limit.
 *
 * @throws {Problem} the limit's own, `request_timeout` when the deadline passes first, `invalid_request` when the body
 * breaks off or is shorter than it said
 */
export async function readBody(request: HttpRequest, limit: BodyLimit, deadline: Deadline): Promise<Buffer> {
  const announced = contentLength(request);
  if (announced !== undefined && announced > limit.bytes) throw limit.exceeded();
  if (!request.body) return Buffer.alloc(0);

  const collected = announced === undefined ? new GrowingBody() : new SizedBody(announced);
  const reader: ReadableStreamDefaultReader<Uint8Array> = request.body.getReader();
  try {
    for (;;) {
      const { done, value } = await deadline.race(reader.read());
      if (done) return collected.finish();
      collected.add(value);
      if (collected.length > limit.bytes) throw limit.exceeded();
    }
  } catch (error) {
    reader.cancel().catch(() => undefined); // it may be broken already, which is why we are here
    throw problemOf(error);
  }
}

function contentLength(request: HttpRequest): number | undefined {
  const header = request.headers.get('content-length');
  return header !== null && /^\d+$/.test(header) ? Number(header) : undefined;
}

function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof DeadlinePassed) {
    return new Problem('request_timeout', 'The body did not arrive in time. Send it again, over a faster connection or smaller.');
  }
  return incomplete(error);
}

function incomplete(cause?: unknown): Problem {
  return new Problem('invalid_request', 'The body ended before all of it had arrived. Send it again.', {
    members: { errors: [{ field: 'body', message: 'incomplete' }] },
    cause,
  });
}

/** A body whose length is known: written once into its final place. */
class SizedBody {
  readonly #bytes: Buffer;
  length = 0;

  constructor(length: number) {
    this.#bytes = Buffer.allocUnsafeSlow(length);
  }

  add(chunk: Uint8Array): void {
    if (this.length + chunk.length > this.#bytes.length) throw incomplete();
    this.#bytes.set(chunk, this.length);
    this.length += chunk.length;
  }

  finish(): Buffer {
    if (this.length < this.#bytes.length) throw incomplete();
    return this.#bytes;
  }
}

class GrowingBody {
  readonly #chunks: Uint8Array[] = [];
  length = 0;

  add(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.length += chunk.length;
  }

  finish(): Buffer {
    return Buffer.concat(this.#chunks, this.length);
  }
}
