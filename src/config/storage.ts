import { isLoopback } from './endpoint.ts';
import type { Environment } from './environment.ts';

/** Where blobs may be read, and where jobs are kept. */
export interface StorageSettings {
  /** URLs of containers, as `https://ACCOUNT.blob.core.windows.net/CONTAINER`. */
  readonly imageContainers: readonly string[];
  /** Undefined if this app has no jobs. */
  readonly jobs: JobsSettings | undefined;
}

/** Where jobs are kept, and who works on them. */
export interface JobsSettings {
  /** URLs of an account's services, without a slash at the end. */
  readonly blobService: string;
  readonly queueService: string;
  /** Whether this process takes messages from the queue. */
  readonly isWorker: boolean;
  /** Images that an instance asks about at once. */
  readonly concurrency: number;
}

/** https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata */
const CONTAINER = /^(?:\$web|[a-z\d](?!.*--)[a-z\d-]{1,61}[a-z\d])$/;
/** https://learn.microsoft.com/azure/storage/common/storage-account-overview#storage-account-name */
const ACCOUNT = /^[a-z\d]{3,24}$/;
/** Accounts of all clouds, with endpoints of the standard kind or in a DNS zone. */
const BLOB_HOST =
  /^[a-z\d]{3,24}(?:-secondary)?(?:\.z\d{1,2})?\.blob\.(?:core\.(?:windows\.net|usgovcloudapi\.net|chinacloudapi\.cn)|storage\.azure\.net)$/;

/** Reads where blobs and jobs are. */
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

/** A local emulator has its account in the path. Tokens travel over https only, even there. */
function isContainer(text: string): boolean {
  const url = URL.parse(text);
  if (url?.protocol !== 'https:' || url.href !== text) return false;
  const names = url.pathname.slice(1).split('/');
  const [account = '', container = ''] = isLoopback(url.hostname) ? names : ['local', ...names];
  const isKnown = isLoopback(url.hostname) ? names.length === 2 : BLOB_HOST.test(url.host) && names.length === 1;
  return isKnown && !url.username && !url.search && !url.hash && ACCOUNT.test(account) && CONTAINER.test(container);
}

function readJobs(
  environment: Environment,
  { suffix, inAzure }: { readonly suffix: string; readonly inAzure: boolean },
): JobsSettings | undefined {
  const account = environment.text('JOBS_STORAGE_ACCOUNT');
  const isWorker = environment.oneOf('JOBS_WORKER', ['on', 'off'], inAzure ? 'off' : 'on') === 'on';
  const concurrency = environment.integer('JOBS_CONCURRENCY', 16, 1, 256);
  if (!account) {
    if (environment.text('JOBS_WORKER') === 'on')
      environment.fault('JOBS_STORAGE_ACCOUNT', 'is not set, although JOBS_WORKER=on asks for it.');
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

/** The host's own names for the addresses of a connection; an emulator, and an account in a DNS zone, need them. */
function readService(environment: Environment, name: string): string | undefined {
  const text = environment.text(name)?.replace(/\/$/, '');
  if (text !== undefined && URL.parse(text)?.protocol !== 'https:')
    environment.fault(name, 'must be a URL that begins with https://.');
  return text;
}
