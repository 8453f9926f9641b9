import { Readable } from 'node:stream';
import type { ContainerClient } from '@azure/storage-blob';
import type { Reservation } from '../http/admission.ts';
import type { Deadline } from '../http/deadline.ts';
import { Problem, shorten } from '../http/problem.ts';
import { takeMemory } from '../http/spare-memory.ts';
import { imageTooLarge } from '../image/faults.ts';
import { storageFailure } from './account.ts';

/** The limits for reading a blob. */
export interface ReadOptions {
  readonly deadline: Pick<Deadline, 'race' | 'signal'>;
  readonly reservation: Pick<Reservation, 'grow' | 'keep'>;
  /** The largest blob to read, in bytes. */
  readonly maxBytes: number;
}

/**
 * Downloads a blob into one buffer. It reserves the memory before it allocates it.
 * @throws {Problem} `image_too_large` if the blob has more than `maxBytes`, `overloaded` if there is no memory for it,
 * `unsupported_encoding`, `blob_not_found`, `storage_access_denied` or `storage_error`
 */
export async function readBlob(
  container: ContainerClient,
  name: string,
  { deadline, reservation, maxBytes }: ReadOptions,
): Promise<Buffer> {
  const { signal } = deadline;
  let body: NodeJS.ReadableStream | undefined;
  try {
    const download = await deadline.race(container.getBlobClient(name).download(0, undefined, { abortSignal: signal }));
    const { contentLength = 0, contentEncoding } = download;
    body = download.readableStreamBody;
    if (contentLength > maxBytes) throw imageTooLarge(maxBytes);
    if (contentEncoding) throw encoded(contentEncoding);
    reservation.grow(contentLength);
    const bytes = takeMemory(contentLength);
    reservation.keep([bytes]);
    await deadline.race(fill(bytes, body));
    return bytes;
  } catch (error) {
    // Otherwise a blob that is refused for its length would still be downloaded.
    if (body instanceof Readable) body.destroy();
    throw storageFailure(error, { url: container.url, kind: 'read' }, signal);
  }
}

/**
 * Fills a buffer from a stream.
 * @throws {Error} unless the stream has exactly as many bytes as the buffer. Unwritten bytes may belong to another
 * request
 */
async function fill(bytes: Buffer, stream: NodeJS.ReadableStream | undefined): Promise<void> {
  let at = 0;
  for await (const chunk of stream ?? []) {
    const piece = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    if (at + piece.length > bytes.length) throw new Error('The blob is longer than its Content-Length.');
    bytes.set(piece, at);
    at += piece.length;
  }
  if (at < bytes.length) throw new Error('The blob is shorter than its Content-Length.');
}

function encoded(given: string): Problem {
  const encoding = shorten(given);
  return new Problem(
    'unsupported_encoding',
    `The blob has Content-Encoding: ${encoding}. Store the image as it is, without that property.`,
    { members: { encoding } },
  );
}
