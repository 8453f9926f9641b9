import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { Problem } from '../../src/http/problem.ts';
import type { ImageStep, JobStep, PageStep } from '../../src/jobs/job.ts';
import type { JobStore } from '../../src/jobs/store.ts';
import type { JobWorker } from '../../src/jobs/worker.ts';
import {
  appWorker,
  azure,
  createWorker,
  endPlatform,
  HastyStore,
  newJob,
  proxy,
  resetPlatform,
  resultsOf,
  startPlatform,
  storage,
} from './platform.ts';

// Times that the engine waits are asserted by the delay of the message that is sent, and not waited for.
vi.setConfig({ testTimeout: 60_000 });
beforeAll(startPlatform);
afterAll(endPlatform);
beforeEach(resetPlatform);

class Sending extends HastyStore {
  readonly sent: JobStep[] = [];
  readonly delays: number[] = [];
  override async send(step: JobStep, delaySeconds: number): Promise<void> {
    this.sent.push(step);
    this.delays.push(delaySeconds);
    await super.send(step, delaySeconds);
  }
}

function image(job: string, more: Partial<ImageStep> = {}): ImageStep {
  const blob = `${job}/000.png`;
  return { kind: 'image', job, page: 0, at: 0, blob, key: randomUUID(), tries: 0, turn: 0, crashes: 0, ...more };
}

function page(job: string, more: Partial<PageStep> = {}): PageStep {
  return { kind: 'page', job, page: 0, key: randomUUID(), tries: 0, ...more };
}

async function work(worker: Pick<JobWorker, 'work'>, step: JobStep): Promise<void> {
  await worker.work({ message: { step }, count: 1, invocationId: 'x', log: () => undefined });
}

async function writeOver(job: string, text: string): Promise<void> {
  const blob = storage.blobs.getContainerClient('vision-jobs').getBlockBlobClient(`jobs/${job}/job.json`);
  await blob.upload(text, Buffer.byteLength(text));
}

test.each([
  ['seconds', () => '100'],
  ['a date', () => new Date(Date.now() + 100_000).toUTCString()],
])('one refusal pauses: others come back as they are after what is left, given in %s', async (_, retryAfter) => {
  azure.model.fail({ status: 429, headers: { 'retry-after': retryAfter() } }, 1);
  const id = await newJob(3);
  const store = new Sending();
  const worker = createWorker(store);
  const [first, second] = [image(id), image(id, { at: 1, blob: `${id}/001.png` })];
  await work(worker, first);
  await work(worker, second);
  await work(worker, second);
  expect(store.sent).toEqual([{ ...first, turn: 1, refusedSince: expect.any(Number) }, second, second]);
  // 100 seconds and up to a quarter more.
  for (const delay of store.delays) expect(delay).toBeGreaterThan(80);
  for (const delay of store.delays) expect(delay).toBeLessThanOrEqual(125);
  expect(azure.model.requests).toHaveLength(1);
});

test('the message for the next page goes out after those for the images, so that a failure adds no chain of pages', async () => {
  class Failing extends Sending {
    override async list() {
      return { blobs: ['a.png', 'b.png'], next: 'more' };
    }
    override async sendAll(): Promise<void> {
      throw new Problem('storage_error', 'The queue fails.');
    }
  }
  const id = await newJob(1);
  const store = new Failing();
  const step = page(id);
  await work(createWorker(store), step);
  expect(store.sent).toEqual([step]);
});

test('of two messages about one page only the first lists it and goes on to the next', async () => {
  class Paged extends Sending {
    override async list() {
      return { blobs: ['a.png'], next: 'more' };
    }
  }
  const id = await newJob(1);
  const store = new Paged();
  const first = page(id);
  const worker = createWorker(store);
  await work(worker, first);
  await work(worker, page(id));
  expect(store.sent).toEqual([
    expect.objectContaining({ kind: 'image', at: 0, blob: 'a.png' }),
    { ...first, page: 1, key: expect.any(String) },
  ]);
  // Delivered again, it does the same again.
  await work(worker, first);
  expect(store.sent.map(({ kind }) => kind)).toEqual(['image', 'page', 'image', 'page']);
});

test('a page whose page before is gone is not listed from the beginning', async () => {
  const id = await newJob(1);
  const store = new Sending();
  const step = page(id, { page: 1 });
  await work(createWorker(store), step);
  expect(store.sent).toEqual([{ ...step, tries: 1 }]);
  expect(await store.page(id, 1)).toBeUndefined();
  await work(createWorker(store), { ...step, tries: 4 });
  expect(await store.status(id)).toMatchObject({ status: 'failed', problem: { code: 'internal_error' } });
});

test('a container that refuses five times to be listed fails the job', async () => {
  proxy.setFault(({ url }) => (url?.includes('comp=list') && url.includes('/images') ? 'refuse' : undefined));
  const id = await newJob(1);
  const store = new Sending();
  const step = page(id);
  await work(createWorker(store), step);
  expect(store.sent).toEqual([{ ...step, tries: 1 }]);
  await work(createWorker(store), { ...step, tries: 4 });
  expect(await store.status(id)).toMatchObject({ status: 'failed', problem: { code: 'storage_access_denied' } });
});

test('the app reads no container that its settings do not name, whatever a job says', async () => {
  const id = await newJob(1, { container: proxy.images.replace('/images', '/vision-jobs'), prefix: '' });
  const worker = { work: appWorker() };
  const foreign: unknown[] = [];
  proxy.setFault(({ method, url }) => {
    if (method === 'GET' && !url?.includes(`/vision-jobs/jobs/${id}/`)) foreign.push(url);
    return undefined;
  });
  await work(worker, image(id));
  await work(worker, page(id));
  expect(foreign).toEqual([]);
  expect((await resultsOf(id)).map(({ problem }) => problem?.code)).toEqual(['blob_not_allowed']);
  expect(await new HastyStore().status(id)).toMatchObject({ status: 'failed', problem: { code: 'blob_not_allowed' } });
});

test.each([
  ['is no JSON', '{'],
  ['says nothing that is known', '{"container":1}'],
])('a job whose description %s ends after five tries', async (_, text) => {
  for (const make of [image, page]) {
    const id = await newJob(1);
    await writeOver(id, text);
    const store = new Sending();
    const step = make(id);
    await work(createWorker(store), step);
    expect(store.sent).toEqual([{ ...step, tries: 1, ...(step.kind === 'image' ? { turn: 1 } : {}) }]);
    await work(createWorker(store), { ...step, tries: 4 });
    expect(store.sent).toHaveLength(1);
    const blob = storage.blobs.getContainerClient('vision-jobs').getBlobClient(`jobs/${id}/job.json`);
    expect((await blob.getProperties()).metadata).toHaveProperty('failed');
  }
});

test('a fault of ours counts as a try, and is the result of the image in the end', async () => {
  class Faulty extends Sending {
    override async claim(): ReturnType<JobStore['claim']> {
      throw new TypeError('a bug');
    }
  }
  const id = await newJob(1);
  const store = new Faulty();
  const step = image(id);
  await work(createWorker(store), step);
  expect(store.sent).toEqual([{ ...step, tries: 1, turn: 1 }]);
  await work(createWorker(store), { ...step, tries: 4 });
  expect((await resultsOf(id)).map(({ problem }) => problem?.code)).toEqual(['internal_error']);
});

test('an image that another message has claimed is not read', async () => {
  const id = await newJob(1);
  const store = new Sending();
  await store.claim(image(id));
  const read: unknown[] = [];
  proxy.setFault(({ method, url }) => {
    if (method === 'GET' && url?.includes('/images/')) read.push(url);
    return undefined;
  });
  await work(createWorker(store), image(id));
  expect(read).toEqual([]);
  expect(store.sent).toEqual([]);
  expect(azure.model.requests).toHaveLength(0);
});
