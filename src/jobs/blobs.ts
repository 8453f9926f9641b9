import type { BlobItem, BlobUploadCommonResponse, ContainerClient } from '@azure/storage-blob';
import type { Deadline } from '../http/deadline.ts';
import { type StorageUse, storageFailure } from '../storage/account.ts';

/** Milliseconds that deleting a blob may take when nobody waits for it any more. */
const DELETE_MS = 2_000;

/**
 * Does something with storage before the deadline.
 * @throws {Problem} that says what storage failed at
 */
export async function attempt<T>(
  deadline: Pick<Deadline, 'race' | 'signal'>,
  use: StorageUse,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await deadline.race(work());
  } catch (error) {
    throw storageFailure(error, use, deadline.signal);
  }
}

/** The small blobs that jobs are made of. Each method throws a {@link Problem} if storage fails. */
export class JobBlobs {
  readonly #container: ContainerClient;
  readonly #deadline: Pick<Deadline, 'race' | 'signal'>;

  constructor(container: ContainerClient, deadline: Pick<Deadline, 'race' | 'signal'>) {
    this.#container = container;
    this.#deadline = deadline;
  }

  /** @returns undefined if there is no such blob */
  async read(name: string): Promise<{ text: string; metadata: Record<string, string> } | undefined> {
    return this.#attempt(async () => {
      try {
        const { metadata = {}, readableStreamBody } = await this.#container.getBlobClient(name).download();
        return { metadata, text: await textOf(readableStreamBody) };
      } catch (error) {
        if (codeOf(error) === 'BlobNotFound') return undefined;
        throw error;
      }
    });
  }

  async exists(name: string): Promise<boolean> {
    return this.#attempt(async () => this.#container.getBlobClient(name).exists());
  }

  /** @returns whether it was not there */
  async writeOnce(name: string, text: string, metadata: Record<string, string> = {}): Promise<boolean> {
    const blob = this.#container.getBlockBlobClient(name);
    const written = await this.#attempt(async (): Promise<BlobUploadCommonResponse | undefined> => {
      const options = { metadata, conditions: { ifNoneMatch: '*' } };
      return blob.upload(text, Buffer.byteLength(text), options).catch(unless('BlobAlreadyExists', 'ConditionNotMet'));
    });
    return written !== undefined;
  }

  /** Sets the metadata of a blob, unless it has one of these already. */
  async markOnce(name: string, metadata: Record<string, string>, known: readonly string[]): Promise<void> {
    const blob = this.#container.getBlobClient(name);
    await this.#attempt(async () => {
      const { metadata: before = {}, etag } = await blob.getProperties();
      if (known.some((key) => key in before)) return;
      // If somebody else marks it at this moment, it is marked.
      await blob.setMetadata(metadata, { conditions: etag ? { ifMatch: etag } : {} }).catch(unless('ConditionNotMet'));
    });
  }

  /** The blobs whose names begin with a prefix, in order. */
  async *list(prefix: string, includeMetadata: boolean): AsyncGenerator<BlobItem> {
    const blobs = this.#container.listBlobsFlat({ prefix, includeMetadata });
    for (;;) {
      const { done, value } = await this.#attempt(async () => blobs.next());
      if (done) return;
      yield value;
    }
  }

  /** Deletes a blob if storage lets it, also after the deadline; throws nothing. */
  async tryToDelete(name: string): Promise<void> {
    const abortSignal = AbortSignal.timeout(DELETE_MS);
    await this.#container
      .getBlobClient(name)
      .deleteIfExists({ abortSignal })
      .catch(() => undefined);
  }

  async #attempt<T>(work: () => Promise<T>): Promise<T> {
    return attempt(this.#deadline, { url: this.#container.url, kind: 'jobs' }, work);
  }
}

async function textOf(stream: NodeJS.ReadableStream | undefined): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream ?? []) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString();
}

/** Passes over an error with one of storage's codes: https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes */
function unless(...codes: readonly string[]): (error: unknown) => undefined {
  return (error) => {
    if (!codes.includes(codeOf(error) ?? '')) throw error;
    return undefined;
  };
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
