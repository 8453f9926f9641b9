import type { BlobItem, BlobUploadCommonResponse, ContainerClient } from '@azure/storage-blob';
import type { Deadline } from '../http/deadline.ts';
import { type StorageUse, storageFailure } from '../storage/account.ts';

/** The time limit of deleting a blob, which has its own because the deadline may have passed. */
const DELETE_MS = 2_000;

/**
 * Runs a call to storage, until the deadline.
 * @throws {Problem} that says which use of storage failed
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

/** Reads and writes the small blobs of jobs. Every method except `tryToDelete` throws a `Problem` if storage fails. */
export class JobBlobs {
  readonly #container: ContainerClient;
  readonly #deadline: Pick<Deadline, 'race' | 'signal'>;

  constructor(container: ContainerClient, deadline: Pick<Deadline, 'race' | 'signal'>) {
    this.#container = container;
    this.#deadline = deadline;
  }

  /** Reads a blob and its metadata. Returns undefined if there is no such blob. */
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

  /** Whether a blob exists. */
  async exists(name: string): Promise<boolean> {
    return this.#attempt(async () => this.#container.getBlobClient(name).exists());
  }

  /**
   * Writes a blob, unless it exists already.
   * @returns true if the blob was written, false if it exists
   */
  async writeOnce(name: string, text: string, metadata: Record<string, string> = {}): Promise<boolean> {
    const blob = this.#container.getBlockBlobClient(name);
    const written = await this.#attempt(async (): Promise<BlobUploadCommonResponse | undefined> => {
      const options = { metadata, conditions: { ifNoneMatch: '*' } };
      return blob.upload(text, Buffer.byteLength(text), options).catch(unless('BlobAlreadyExists', 'ConditionNotMet'));
    });
    return written !== undefined;
  }

  /** Sets the metadata of a blob, unless its metadata has one of the `known` names already. */
  async markOnce(name: string, metadata: Record<string, string>, known: readonly string[]): Promise<void> {
    const blob = this.#container.getBlobClient(name);
    await this.#attempt(async () => {
      const { metadata: before = {}, etag } = await blob.getProperties();
      if (known.some((key) => key in before)) return;
      // If the blob has changed in the meantime, another process has set them.
      await blob.setMetadata(metadata, { conditions: etag ? { ifMatch: etag } : {} }).catch(unless('ConditionNotMet'));
    });
  }

  /** Lists the blobs whose names begin with a prefix, sorted by name. */
  async *list(prefix: string, includeMetadata: boolean): AsyncGenerator<BlobItem> {
    const blobs = this.#container.listBlobsFlat({ prefix, includeMetadata });
    for (;;) {
      const { done, value } = await this.#attempt(async () => blobs.next());
      if (done) return;
      yield value;
    }
  }

  /** Tries to delete a blob, even after the deadline. It never throws. */
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

/**
 * Makes a function that turns an error with one of these codes into undefined, and throws all others.
 * https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes
 */
function unless(...codes: readonly string[]): (error: unknown) => undefined {
  return (error) => {
    if (!codes.includes(codeOf(error) ?? '')) throw error;
    return undefined;
  };
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
