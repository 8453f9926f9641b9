import type { TokenCredential } from '@azure/identity';
import { ContainerClient, type StoragePipelineOptions } from '@azure/storage-blob';
import { QueueClient } from '@azure/storage-queue';
import { Problem } from '../http/problem.ts';

/** The role that reads blobs: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/storage */
const READER = 'Storage Blob Data Reader';
/** The role that writes them. */
const CONTRIBUTOR = 'Storage Blob Data Contributor';
const QUEUE_CONTRIBUTOR = 'Storage Queue Data Contributor';

/** The library would make four tries, which takes longer than a request has. */
const MAX_TRIES = 2;
/** A service that does not answer within this is not waited for. */
const TRY_TIMEOUT_MS = 30_000;
/** The pipeline asks for the token anew shortly before this; the source of tokens holds it, so that costs nothing. */
const HOLD_MS = 60_000;

/** Where tokens for storage come from: this process's identity. */
interface Tokens {
  get(): Promise<string>;
}

/** Containers and queues, reached as this process's identity. */
export class Storage {
  readonly #credential: TokenCredential;

  constructor(tokens: Tokens) {
    this.#credential = {
      getToken: async () => ({ token: await tokens.get(), expiresOnTimestamp: Date.now() + HOLD_MS }),
    };
  }

  container(url: string): ContainerClient {
    return new ContainerClient(url, this.#credential, PIPELINE);
  }

  queue(url: string): QueueClient {
    return new QueueClient(url, this.#credential, PIPELINE);
  }
}

/** No redirect is followed: a token goes to the host of the settings, and to no other. */
const PIPELINE: Pick<StoragePipelineOptions, 'retryOptions'> & {
  readonly redirectOptions: { readonly maxRetries: number };
} = {
  retryOptions: { maxTries: MAX_TRIES, tryTimeoutInMs: TRY_TIMEOUT_MS },
  redirectOptions: { maxRetries: 0 },
};

/** What is done with storage, for what a problem says. */
export interface StorageUse {
  /** The URL of the container or the queue. */
  readonly url: string;
  readonly kind: 'read' | 'jobs' | 'queue';
}

/**
 * What went wrong with storage, as a problem that says who can mend it.
 * @param signal - the request's; its reason goes before whatever it did to the storage call
 */
export function storageFailure(error: unknown, { url, kind }: StorageUse, signal?: AbortSignal): unknown {
  if (signal?.aborted) return signal.reason;
  const own = problemIn(error);
  if (own) return own;
  const status = statusOf(error);
  const account = accountOf(url);
  if (status === 404 && kind === 'read') return notFound(error);
  if (status === 401 || status === 403) {
    const role = { read: READER, jobs: CONTRIBUTOR, queue: QUEUE_CONTRIBUTOR }[kind];
    return new Problem(
      'storage_access_denied',
      `The storage account ${account} refused this app's identity (${status}). Next: az role assignment create --role '${role}' ` +
        `--assignee-object-id <the app's principal id> --assignee-principal-type ServicePrincipal --scope <the ${kind === 'queue' ? 'queue' : 'container'}'s resource id>. ` +
        "A new assignment takes 5 to 10 minutes to apply. If the role is there, the account's firewall keeps the app out.",
      { cause: error, members: { role, account } },
    );
  }
  const what = status === undefined ? 'cannot be reached' : `failed (${status})`;
  return new Problem('storage_error', `The storage account ${account} ${what}. Try again in a while.`, {
    cause: error,
    members: { account },
  });
}

function notFound(cause: unknown): Problem {
  return new Problem('blob_not_found', 'There is no such blob. Check its container and its name, letter by letter.', {
    cause,
  });
}

/** The pipeline throws what the source of tokens threw, or wraps it. */
function problemIn(error: unknown): Problem | undefined {
  if (error instanceof Problem) return error;
  return error instanceof Error && error.cause !== undefined ? problemIn(error.cause) : undefined;
}

/** The status that storage answered with; undefined if it did not answer. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
    ? error.statusCode
    : undefined;
}

/** The account's name: the first label of the host, or of the path on this machine. */
function accountOf(url: string): string {
  const { hostname, pathname } = new URL(url);
  const [first = ''] = /[a-z]/i.test(hostname) ? hostname.split('.') : pathname.slice(1).split('/');
  return first;
}
