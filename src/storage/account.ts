import {
  ContainerClient,
  logger as blobLogger,
  Pipeline,
  type RequestPolicyFactory,
  type StoragePipelineOptions,
} from '@azure/storage-blob';
import { logger as queueLogger, Pipeline as QueuePipeline, QueueClient } from '@azure/storage-queue';
import { isLoopback } from '../config/endpoint.ts';
import { DeadlinePassed } from '../http/deadline.ts';
import { Problem } from '../http/problem.ts';

/**
 * The least privileged built-in role for each use:
 * https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/storage
 */
const ROLES = {
  read: 'Storage Blob Data Reader',
  jobs: 'Storage Blob Data Contributor',
  queue: 'Storage Queue Data Contributor',
} as const;

/**
 * Milliseconds to wait for the response headers of one try. The library has no default limit, and a lost connection may
 * never end.
 */
const TRY_MS = 30_000;

/**
 * Three tries: the second follows at once, the third after 0.4 seconds. The signal of a call ends all its tries. A try
 * that times out is not repeated.
 */
const RETRIES = { maxTries: 3, retryDelayInMs: 400, maxRetryDelayInMs: 2_000 };

/** Follows no redirects, so that the token goes only to the host in the settings. */
const PIPELINE: StoragePipelineOptions & { readonly redirectOptions: { readonly maxRetries: number } } = {
  retryOptions: RETRIES,
  redirectOptions: { maxRetries: 0 },
};

// If AZURE_LOG_LEVEL is set, the libraries would log every URL, and names of blobs may be personal.
blobLogger.info.enabled = false;
queueLogger.info.enabled = false;

/** Tokens of this process's identity for `https://storage.azure.com/.default`. */
export interface Tokens {
  get(): Promise<string>;
  /** Discards a token that storage refused. */
  discard(token: string): void;
}

/** Creates clients of containers and queues that sign in as this process's identity. */
export class Storage {
  readonly #tokens: Tokens;

  constructor(tokens: Tokens) {
    this.#tokens = tokens;
  }

  /**
   * Creates a client of a container. It sends nothing yet.
   * @param signal - aborts each request that has no signal of its own
   */
  container(url: string, signal?: AbortSignal): ContainerClient {
    return new ContainerClient(url, new Pipeline([signed(this.#tokens, signal)], PIPELINE));
  }

  /**
   * Creates a client of a queue. It sends nothing yet.
   * @param signal - aborts each request that has no signal of its own
   */
  queue(url: string, signal?: AbortSignal): QueueClient {
    return new QueueClient(url, new QueuePipeline([signed(this.#tokens, signal)], PIPELINE));
  }
}

/**
 * Makes a request policy that adds the identity's token and limits the time of each try. The libraries' own policy
 * caches tokens for each client, and refuses plain http even to this machine, which the emulator needs. The settings
 * allow plain http only to this machine.
 */
function signed(tokens: Tokens, signal: AbortSignal | undefined): RequestPolicyFactory {
  return {
    create: (next) => ({
      async sendRequest(request) {
        const token = await tokens.get();
        request.headers.set('authorization', `Bearer ${token}`);
        request.timeout = TRY_MS;
        if (signal) request.abortSignal ??= signal;
        try {
          return await next.sendRequest(request);
        } catch (error) {
          if (statusOf(error) === 401) tokens.discard(token);
          throw error;
        }
      },
    }),
  };
}

/** What the app wanted from storage, so that a problem can say which role or resource is missing. */
export interface StorageUse {
  /** The URL of the container or the queue. */
  readonly url: string;
  readonly kind: keyof typeof ROLES;
}

/**
 * Turns an error of a storage call into a problem that says how to fix it. If the caller disconnected, it returns that
 * reason unchanged.
 * @param signal - the signal of the call
 */
export function storageFailure(error: unknown, { url, kind }: StorageUse, signal?: AbortSignal): unknown {
  const reason: unknown = signal?.aborted ? signal.reason : error;
  if (signal?.aborted && !(reason instanceof DeadlinePassed)) return reason;
  const own = problemIn(error);
  if (own) return own;
  const status = statusOf(error);
  const account = accountOf(url);
  if (status === 404 && kind === 'read')
    return new Problem('blob_not_found', 'There is no such blob. Check its container and its name, letter by letter.', {
      cause: error,
    });
  if (status === 401 || status === 403) {
    const role = ROLES[kind];
    return new Problem(
      'storage_access_denied',
      `The storage account ${account} refused this app's identity (${status}). Next: az role assignment create ` +
        `--role '${role}' ` +
        "--assignee-object-id <the principal id of the app's identity> --assignee-principal-type ServicePrincipal " +
        `--scope <the resource id of the ${kind === 'queue' ? 'queue' : 'container'}>. ` +
        "A new assignment takes 5 to 10 minutes to apply. If the role is assigned, check the account's firewall.",
      { cause: error, members: { role, account } },
    );
  }
  if (isMissing(status, error)) return missing({ url, kind }, error);
  const step =
    status === undefined
      ? 'Try again in a while. If it keeps failing, check the name of the account and whether this network ' +
        'reaches it: private endpoint, firewall, proxy.'
      : 'Try again in a while.';
  return new Problem('storage_error', `The storage account ${account} ${whatFailed(error, reason)}. ${step}`, {
    cause: error,
    members: { account },
  });
}

/** Makes the problem for a container or a queue that does not exist. */
export function missing({ url, kind }: StorageUse, cause: unknown): Problem {
  const account = accountOf(url);
  const what = kind === 'queue' ? 'queue' : 'container';
  const name = nameOf(url);
  return new Problem(
    'storage_error',
    `The storage account ${account} has no ${what} ${name}. Next: az storage ${what} create --auth-mode login ` +
      `--account-name ${account} --name ${name}, or correct the settings.`,
    { cause, members: { account } },
  );
}

function whatFailed(error: unknown, reason: unknown): string {
  if (reason instanceof DeadlinePassed || isAborted(error)) return 'did not answer in time';
  const status = statusOf(error);
  if (status === undefined) return `cannot be reached, or broke off${codeOf(error) ? ` (${codeOf(error)})` : ''}`;
  if (status >= 300 && status < 400) return `sent a redirect (${status}), which is not followed`;
  return `failed (${[status, codeOf(error)].filter(Boolean).join(' ')})`;
}

/** Returns whether the library aborted a try that took too long. */
function isAborted(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

/** Returns whether the container or the queue itself does not exist, rather than something in it. */
function isMissing(status: number | undefined, error: unknown): boolean {
  return status === 404 && ['ContainerNotFound', 'QueueNotFound'].includes(codeOf(error) ?? '');
}

function nameOf(url: string): string {
  return new URL(url).pathname.split('/').at(-1) ?? '';
}

/** Finds the problem that fetching the token threw. The pipeline throws it as it is or wraps it. */
function problemIn(error: unknown): Problem | undefined {
  if (error instanceof Problem) return error;
  return error instanceof Error && error.cause !== undefined ? problemIn(error.cause) : undefined;
}

/** Returns the HTTP status that storage answered with, or undefined if it did not answer. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
    ? error.statusCode
    : undefined;
}

/**
 * Returns storage's error code, such as `BlobArchived`:
 * https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes
 */
function codeOf(error: unknown): string | undefined {
  return error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    /^[A-Za-z]{1,60}$/.test(error.code)
    ? error.code
    : undefined;
}

/** Returns the account's name. It is the first label of the host, or for an emulator the first segment of the path. */
export function accountOf(url: string): string {
  const { hostname, pathname } = new URL(url);
  const [first = ''] = isLoopback(hostname) ? pathname.slice(1).split('/') : hostname.split('.');
  return first;
}
