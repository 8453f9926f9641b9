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
  newJob,
  proxy,
  resetPlatform,
  resultsOf,
  ShortDelayStore,
  startPlatform,
  storage,
} from './platform.ts';

// The tests do not wait as long as a job does. They check the delay of the message that is sent.
vi.setConfig({ testTimeout: 60_000 });
beforeAll(startPlatform);
afterAll(endPlatform);
beforeEach(resetPlatform);

class RecordingStore extends ShortDelayStore {
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
  return { kind: 'image', job, page: 0, at: 0, blob, key: randomUUID(), tries: 0, resends: 0, crashes: 0, ...more };
}

function page(job: string, more: Partial<PageStep> = {}): PageStep {
  return { kind: 'page', job, page: 0, key: randomUUID(), tries: 0, ...more };
}

async function processStep(worker: Pick<JobWorker, 'work'>, step: JobStep): Promise<void> {
  await worker.work({ message: { step }, count: 1, invocationId: 'x', log: () => undefined });
}

async function overwriteRequest(job: string, text: string): Promise<void> {
  const blob = storage.blobs.getContainerClient('vision-jobs').getBlockBlobClient(`jobs/${job}/job.json`);
  await blob.upload(text, Buffer.byteLength(text));
}

test.each([
  ['a number of seconds', () => '100'],
  ['a date', () => new Date(Date.now() + 100_000).toUTCString()],
])('after a 429, sends other images again when its Retry-After is over, which is %s', async (_, retryAfter) => {
  azure.model.fail({ status: 429, headers: { 'retry-after': retryAfter() } }, 1);
  const id = await newJob(3);
  const store = new RecordingStore();
  const worker = createWorker(store);
  const [first, second] = [image(id), image(id, { at: 1, blob: `${id}/001.png` })];
  await processStep(worker, first);
  await processStep(worker, second);
  await processStep(worker, second);
  expect(store.sent).toEqual([{ ...first, resends: 1, refusedSince: expect.any(Number) }, second, second]);
  // The rest of 100 seconds, and up to a quarter more.
  for (const delay of store.delays) expect(delay).toBeGreaterThan(80);
  for (const delay of store.delays) expect(delay).toBeLessThanOrEqual(125);
  expect(azure.model.requests).toHaveLength(1);
});

// Otherwise, each further attempt would list all following pages once more.
test('sends no message for the next page if those for the images cannot be sent', async () => {
  class FailingStore extends RecordingStore {
    override async list() {
      return { blobs: ['a.png', 'b.png'], next: 'more' };
    }
    override async sendAll(): Promise<void> {
      throw new Problem('storage_error', 'The queue fails.');
    }
  }
  const id = await newJob(1);
  const store = new FailingStore();
  const step = page(id);
  await processStep(createWorker(store), step);
  expect(store.sent).toEqual([step]);
});

test('if two messages name the same page, only the first one lists it and sends the next page', async () => {
  class PagedStore extends RecordingStore {
    override async list() {
      return { blobs: ['a.png'], next: 'more' };
    }
  }
  const id = await newJob(1);
  const store = new PagedStore();
  const first = page(id);
  const worker = createWorker(store);
  await processStep(worker, first);
  await processStep(worker, page(id));
  expect(store.sent).toEqual([
    expect.objectContaining({ kind: 'image', at: 0, blob: 'a.png' }),
    { ...first, page: 1, key: expect.any(String) },
  ]);
  // If the first one is delivered again, it sends everything again.
  await processStep(worker, first);
  expect(store.sent.map(({ kind }) => kind)).toEqual(['image', 'page', 'image', 'page']);
});

test('does not start again at the first image if the previous page is missing, and finally fails the job', async () => {
  const id = await newJob(1);
  const store = new RecordingStore();
  const step = page(id, { page: 1 });
  await processStep(createWorker(store), step);
  expect(store.sent).toEqual([{ ...step, tries: 1 }]);
  expect(await store.page(id, 1)).toBeUndefined();
  await processStep(createWorker(store), { ...step, tries: 4 });
  expect(await store.status(id)).toMatchObject({ status: 'failed', problem: { code: 'internal_error' } });
});

test('fails the job if five attempts to list the container are refused', async () => {
  proxy.setFault(({ url }) => (url?.includes('comp=list') && url.includes('/images') ? 'refuse' : undefined));
  const id = await newJob(1);
  const store = new RecordingStore();
  const step = page(id);
  await processStep(createWorker(store), step);
  expect(store.sent).toEqual([{ ...step, tries: 1 }]);
  await processStep(createWorker(store), { ...step, tries: 4 });
  expect(await store.status(id)).toMatchObject({ status: 'failed', problem: { code: 'storage_access_denied' } });
});

test('the app does not read a container that its settings do not name, even if a job names it', async () => {
  const id = await newJob(1, { container: proxy.images.replace('/images', '/vision-jobs'), prefix: '' });
  const worker = { work: appWorker() };
  const otherReads: unknown[] = [];
  proxy.setFault(({ method, url }) => {
    if (method === 'GET' && !url?.includes(`/vision-jobs/jobs/${id}/`)) otherReads.push(url);
    return undefined;
  });
  await processStep(worker, image(id));
  await processStep(worker, page(id));
  expect(otherReads).toEqual([]);
  expect((await resultsOf(id)).map(({ problem }) => problem?.code)).toEqual(['blob_not_allowed']);
  expect(await new ShortDelayStore().status(id)).toMatchObject({
    status: 'failed',
    problem: { code: 'blob_not_allowed' },
  });
});

test.each([
  ['is not JSON', '{'],
  ['has the wrong members', '{"container":1}'],
])('fails a job after five attempts if its stored request %s', async (_, text) => {
  for (const make of [image, page]) {
    const id = await newJob(1);
    await overwriteRequest(id, text);
    const store = new RecordingStore();
    const step = make(id);
    await processStep(createWorker(store), step);
    expect(store.sent).toEqual([{ ...step, tries: 1, ...(step.kind === 'image' ? { resends: 1 } : {}) }]);
    await processStep(createWorker(store), { ...step, tries: 4 });
    expect(store.sent).toHaveLength(1);
    const blob = storage.blobs.getContainerClient('vision-jobs').getBlobClient(`jobs/${id}/job.json`);
    expect((await blob.getProperties()).metadata).toHaveProperty('failed');
  }
});

test('an unexpected error counts as an attempt, and after the last one it is the result of the image', async () => {
  class FaultyStore extends RecordingStore {
    override async claim(): ReturnType<JobStore['claim']> {
      throw new TypeError('a bug');
    }
  }
  const id = await newJob(1);
  const store = new FaultyStore();
  const step = image(id);
  await processStep(createWorker(store), step);
  expect(store.sent).toEqual([{ ...step, tries: 1, resends: 1 }]);
  await processStep(createWorker(store), { ...step, tries: 4 });
  expect((await resultsOf(id)).map(({ problem }) => problem?.code)).toEqual(['internal_error']);
});

test('does not read or ask about an image that another message has claimed', async () => {
  const id = await newJob(1);
  const store = new RecordingStore();
  await store.claim(image(id));
  const imageReads: unknown[] = [];
  proxy.setFault(({ method, url }) => {
    if (method === 'GET' && url?.includes('/images/')) imageReads.push(url);
    return undefined;
  });
  await processStep(createWorker(store), image(id));
  expect(imageReads).toEqual([]);
  expect(store.sent).toEqual([]);
  expect(azure.model.requests).toHaveLength(0);
});
