import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { PageStep } from '../../src/jobs/job.ts';
import { endPlatform, newJob, proxy, resetPlatform, ShortDelayStore, startPlatform, storage } from './platform.ts';

beforeAll(startPlatform);
afterAll(endPlatform);
beforeEach(resetPlatform);

function page(job: string): PageStep {
  return { kind: 'page', job, page: 0, key: randomUUID(), tries: 0 };
}

test('lists a container in pages of 200 blobs, each from where the previous page ended', async () => {
  const prefix = `${randomUUID()}/`;
  const names = Array.from({ length: 203 }, (_, at) => `${prefix}${String(at).padStart(3, '0')}`);
  await Promise.all(names.map(async (name) => storage.images.getBlockBlobClient(name).upload('x', 1)));
  const store = new ShortDelayStore();
  const first = await store.list(storage.images, prefix, undefined);
  expect(first).toEqual({ blobs: names.slice(0, 200), next: expect.any(String) });
  const second = await store.list(storage.images, prefix, first.next ?? undefined);
  expect(second).toEqual({ blobs: names.slice(200), next: null });
});

describe('a claim, which is a blob that is written once', () => {
  const isClaim = ({ method, url }: IncomingMessage): boolean => method === 'PUT' && url?.includes('/claims/') === true;

  test('belongs to the first message that writes it', async () => {
    const [store, step] = [new ShortDelayStore(), page(randomUUID())];
    expect(await store.claim(step)).toEqual({ isOurs: true, isNew: true });
    expect(await store.claim(step)).toEqual({ isOurs: true, isNew: false });
    expect(await store.claim(page(step.job))).toEqual({ isOurs: false, isNew: false });
  });

  test.each([
    [409, 'BlobAlreadyExists'],
    [412, 'ConditionNotMet'],
  ])('exists already if storage answers %i %s', async (status, code) => {
    const [store, step] = [new ShortDelayStore(), page(randomUUID())];
    await store.claim(step);
    proxy.setFault((request) => (isClaim(request) ? { status, code } : undefined));
    expect(await store.claim(step)).toEqual({ isOurs: true, isNew: false });
  });

  test.each([
    [409, 'ContainerBeingDeleted'],
    [409, 'BlobImmutableDueToPolicy'],
    [412, 'LeaseIdMissing'],
  ])('fails with storage_error, and does not count as existing, if storage answers %i %s', async (status, code) => {
    proxy.setFault((request) => (isClaim(request) ? { status, code } : undefined));
    await expect(new ShortDelayStore().claim(page(randomUUID()))).rejects.toMatchObject({ code: 'storage_error' });
  });
});

test.each(['refuse', 'break'] as const)(
  'leaves no blobs of a new job if its first message cannot be sent: %s',
  async (fault) => {
    const jobs = storage.blobs.getContainerClient('vision-jobs');
    const names = async (): Promise<string[]> =>
      (await Array.fromAsync(jobs.listBlobsFlat({ prefix: 'jobs/' }))).map(({ name }) => name);
    const before = await names();
    proxy.setFault(({ url }) => (url?.includes('/vision-jobs/messages') ? fault : undefined));
    await expect(newJob(0)).rejects.toMatchObject({ name: 'Problem' });
    expect(await names()).toEqual(before);
  },
);
