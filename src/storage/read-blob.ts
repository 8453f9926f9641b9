import type { ContainerClient } from '@azure/storage-blob';
import type { Reservation } from '../http/admission.ts';
import type { Deadline } from '../http/deadline.ts';
import { Problem } from '../http/problem.ts';
import { imageTooLarge } from '../image/faults.ts';
import { storageFailure } from './account.ts';

/** What reading a blob may cost. */
export interface ReadOptions {
  readonly deadline: Deadline;
  readonly reservation: Pick<Reservation, 'grow' | 'keep'>;
  /** Bytes. */
  readonly maxBytes: number;
}

/**
 * Reads a blob's bytes once, into memory that is asked for before it is taken.
 * @throws {Problem} `image_too_large`, `overloaded`, `blob_not_found`, `storage_access_denied` or `storage_error`
 */
export async function readBlob(
  container: ContainerClient,
  name: string,
  { deadline, reservation, maxBytes }: ReadOptions,
): Promise<Buffer> {
  const { signal } = deadline;
  try {
    const { contentLength = 0, readableStreamBody } = await deadline.race(
      container.getBlobClient(name).download(0, undefined, { abortSignal: signal }),
    );
    if (contentLength > maxBytes) {
      stop(readableStreamBody);
      throw imageTooLarge(maxBytes);
    }
    reservation.grow(contentLength);
    const bytes = Buffer.allocUnsafeSlow(contentLength);
    reservation.keep([bytes]);
    if (!readableStreamBody || (await fill(bytes, readableStreamBody)) !== contentLength) throw cutOff();
    return bytes;
  } catch (error) {
    throw storageFailure(error, { url: container.url, kind: 'read' }, signal);
  }
}

/** @returns how many bytes came; those beyond the buffer's end are counted, not kept */
async function fill(bytes: Buffer, stream: NodeJS.ReadableStream): Promise<number> {
  let at = 0;
  for await (const chunk of stream) {
    if (typeof chunk !== 'string') chunk.copy(bytes, at);
    at += chunk.length;
  }
  return at;
}

/** Ends a download that is not wanted, with its connection. */
function stop(stream: NodeJS.ReadableStream | undefined): void {
  if (stream && 'destroy' in stream && typeof stream.destroy === 'function') stream.destroy();
}

function cutOff(): Problem {
  return new Problem('storage_error', 'The blob broke off before its end. Try again in a while.');
}
