import { JOBS, type StorageSettings } from '../config/storage.ts';
import type { Deadline } from '../http/deadline.ts';
import { missing, statusOf, type Storage, storageFailure, type StorageUse } from './account.ts';

/**
 * Checks that the containers and the queue of the settings exist, and that this identity may access them. It reads only
 * their properties.
 * @returns their names, for a report
 * @throws {Problem} `storage_access_denied` or `storage_error` about the first that fails
 */
export async function probeStorage(
  storage: Storage,
  { imageContainers, jobs }: StorageSettings,
  deadline: Deadline,
): Promise<string> {
  const containers = [
    ...imageContainers.map((url) => ({ url, kind: 'read' as const })),
    ...(jobs ? [{ url: `${jobs.blobService}/${JOBS}`, kind: 'jobs' as const }] : []),
  ];
  const queues = jobs ? [{ url: `${jobs.queueService}/${JOBS}`, kind: 'queue' as const }] : [];
  const options = { abortSignal: deadline.signal };
  await Promise.all([
    ...containers.map(async (use) => answered(storage.container(use.url).getProperties(options), use, deadline)),
    ...queues.map(async (use) => answered(storage.queue(use.url).getProperties(options), use, deadline)),
  ]);
  return [...containers, ...queues].map(({ url }) => new URL(url).pathname.split('/').at(-1)).join(', ');
}

async function answered(asked: Promise<unknown>, use: StorageUse, deadline: Deadline): Promise<void> {
  try {
    await deadline.race(asked);
  } catch (error) {
    if (statusOf(error) !== 404) throw storageFailure(error, use, deadline.signal);
    throw missing(use, error);
  }
}
