import { isLoopback } from './endpoint.ts';
import type { Environment } from './environment.ts';

/** Which containers images may be read from, and where jobs are stored. */
export interface StorageSettings {
  /** Container URLs, such as `https://ACCOUNT.blob.core.windows.net/CONTAINER`. */
  readonly imageContainers: readonly string[];
  /** Undefined if this app has no jobs. */
  readonly jobs: JobsSettings | undefined;
}

/** Where jobs are stored, and whether this process works on them. */
export interface JobsSettings {
  /** The URL of the account's blob service, without a slash at the end. */
  readonly blobService: string;
  /** The URL of the account's queue service, without a slash at the end. */
  readonly queueService: string;
  /** Whether this process takes messages from the queue. */
  readonly isWorker: boolean;
  /** How many images this process asks the model about at the same time. */
  readonly concurrency: number;
}

/** The name of both the container and the queue of jobs. `infra/` creates them, and the queue `vision-jobs-poison`. */
export const JOBS = 'vision-jobs';

/** More would have no effect: batchSize plus newBatchThreshold in host.json limit the messages in progress to this. */
const MAX_CONCURRENCY = 32;

/** https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata */
const CONTAINER = /^(?:\$web|[a-z\d](?!.*--)[a-z\d-]{1,61}[a-z\d])$/;
/** https://learn.microsoft.com/azure/storage/common/storage-account-overview#storage-account-name */
const ACCOUNT = /^[a-z\d]{3,24}$/;
/** The blob hosts of accounts in all clouds, with standard endpoints or Azure DNS zone endpoints. */
const BLOB_HOST =
  /^[a-z\d]{3,24}(?:-secondary)?(?:\.z\d{1,2})?\.blob\.(?:core\.(?:windows\.net|usgovcloudapi\.net|chinacloudapi\.cn)|storage\.azure\.net)$/;

/** Reads the settings of image containers and jobs. The environment collects the faults. */
export function readStorage(
  environment: Environment,
  cloud: { readonly suffix: string; readonly inAzure: boolean },
): StorageSettings {
  return { imageContainers: readContainers(environment), jobs: readJobs(environment, cloud) };
}

function readContainers(environment: Environment): string[] {
  const urls = (environment.text('IMAGE_CONTAINERS') ?? '')
    .split(',')
    .map((url) => url.trim().replace(/\/$/, ''))
    .filter((url) => url !== '');
  if (urls.every(isContainer)) return urls;
  environment.fault(
    'IMAGE_CONTAINERS',
    'must be the URLs of blob containers with commas between them: https://ACCOUNT.blob.core.windows.net/CONTAINER.',
  );
  return [];
}

/** Accepts containers in Azure, and in a local emulator, whose URLs have the account in the path. */
function isContainer(text: string): boolean {
  const url = URL.parse(text);
  if (!url || url.href !== text || url.username || url.password || url.search || url.hash) return false;
  const names = url.pathname.slice(1).split('/');
  const [name = ''] = names.slice(-1);
  const isKnown = isLoopback(url.hostname)
    ? names.length === 2 && ACCOUNT.test(names[0] ?? '')
    : names.length === 1 && BLOB_HOST.test(url.host);
  return isKnown && isPrivate(url) && CONTAINER.test(name);
}

/** Whether a token sent to this URL is safe: encrypted, or never leaving this machine. */
function isPrivate({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));
}

function readJobs(
  environment: Environment,
  { suffix, inAzure }: { readonly suffix: string; readonly inAzure: boolean },
): JobsSettings | undefined {
  const account = environment.text('JOBS_STORAGE_ACCOUNT');
  const isWorker = environment.oneOf('JOBS_WORKER', ['on', 'off'], inAzure ? 'off' : 'on') === 'on';
  const concurrency = environment.integer('JOBS_CONCURRENCY', 16, 1, MAX_CONCURRENCY);
  if (!account) {
    if (environment.text('JOBS_WORKER') === 'on')
      environment.fault('JOBS_STORAGE_ACCOUNT', 'is not set, but JOBS_WORKER=on needs it.');
    return undefined;
  }
  if (!ACCOUNT.test(account))
    environment.fault(
      'JOBS_STORAGE_ACCOUNT',
      'must be the name of a storage account: 3 to 24 lower-case letters and digits.',
    );
  const service = (kind: 'blob' | 'queue'): string =>
    readService(environment, `JobsStorage__${kind}ServiceUri`) ?? `https://${account}.${kind}.${suffix}`;
  return { blobService: service('blob'), queueService: service('queue'), isWorker, concurrency };
}

/**
 * Reads a service's URL from the variable that the Functions host uses for it. You need to set it for an emulator, or
 * for an account with Azure DNS zone endpoints.
 */
function readService(environment: Environment, name: string): string | undefined {
  const text = environment.text(name)?.replace(/\/$/, '');
  if (text === undefined) return undefined;
  const url = URL.parse(text);
  if (!url || !isPrivate(url)) environment.fault(name, 'must be a URL that begins with https://.');
  return text;
}
