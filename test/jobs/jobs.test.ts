import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { Problem } from '../../src/http/problem.ts';
import type { ImageStep, JobStep } from '../../src/jobs/job.ts';
import type { JobStore } from '../../src/jobs/store.ts';
import type { WorkerOptions } from '../../src/jobs/work.ts';
import {
  azure,
  BATCH,
  createWorker,
  endPlatform,
  newJob,
  prepare,
  proxy,
  resetPlatform,
  resultsOf,
  run,
  ShortDelayStore,
  startPlatform,
  storage,
} from './platform.ts';

// Postponed messages take seconds, and longer on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

beforeAll(startPlatform);
afterAll(endPlatform);
beforeEach(resetPlatform);

function requestedTiers(): unknown[] {
  return azure.model.requests.map(({ body }) => (body as { service_tier?: string }).service_tier);
}

test('writes one result for each image, in the order of the container: an answer or a problem', async () => {
  const id = await newJob(
    5,
    {},
    { 'broken.jpg': Buffer.from([0xff, 0xd8, 0xff, 0xe0]), 'note.txt': Buffer.from('hello') },
  );
  const status = await run(id);
  expect(status).toMatchObject({ status: 'done', found: 7, answered: 5, failed: 2 });
  const results = await resultsOf(id);
  expect(results.map(({ blob }) => blob.split('/').at(-1))).toEqual([
    '000.png',
    '001.png',
    '002.png',
    '003.png',
    '004.png',
    'broken.jpg',
    'note.txt',
  ]);
  expect(results.map(({ problem, tier }) => [problem?.code, tier])).toEqual([
    ...Array.from({ length: 5 }, () => [undefined, 'flex']),
    ['corrupt_image', 'flex'],
    ['unsupported_image_type', 'flex'],
  ]);
  expect(results[0]?.answer).toContain('8 x 8 pixels');
  const tokens = results.reduce((sum, { usage }) => sum + usage.totalTokens, 0);
  expect(tokens).toBeGreaterThan(0);
  expect(status.usage.totalTokens).toBe(tokens);
  expect(requestedTiers()).toEqual(Array.from({ length: 5 }, () => 'flex'));
});

test('asks about every image of a container with several pages, and about none of them twice', async () => {
  /** Lists five blobs in each page. */
  class PagingStore extends ShortDelayStore {
    override async list(...[container, prefix, after]: Parameters<JobStore['list']>) {
      const { blobs } = await super.list(container, prefix, undefined);
      const from = Number(after ?? 0);
      return { blobs: blobs.slice(from, from + 5), next: from + 5 < blobs.length ? String(from + 5) : null };
    }
  }
  const id = await newJob(22, { tier: 'standard' });
  const status = await run(id, new PagingStore(), 2);
  expect(status).toMatchObject({ status: 'done', found: 22, answered: 22, failed: 0 });
  const names = (await resultsOf(id)).map(({ blob }) => blob.split('/').at(-1));
  expect(names).toEqual(Array.from({ length: 22 }, (_, at) => `${String(at).padStart(3, '0')}.png`));
  expect(azure.model.requests).toHaveLength(22);
  expect(new Set(requestedTiers())).toEqual(new Set([undefined]));
});

test('postpones an image if the model answers 429, and does not count it as failed', async () => {
  azure.model.fail({ status: 429, headers: { 'retry-after': '1' } }, 7);
  const status = await run(await newJob(6));
  expect(status).toMatchObject({ status: 'done', answered: 6, failed: 0 });
  expect(azure.model.requests).toHaveLength(6 + 7);
});

test('waits while flex has no capacity', async () => {
  azure.setFlex('no-capacity');
  setTimeout(() => azure.setFlex('available'), 2_000);
  const id = await newJob(3);
  expect(await run(id)).toMatchObject({ status: 'done', answered: 3, failed: 0 });
  expect((await resultsOf(id)).map(({ tier }) => tier)).toEqual(['flex', 'flex', 'flex']);
});

test('with fallback, asks about an image at the standard price after flex has refused it for ten minutes', async () => {
  class TenMinutesLaterStore extends ShortDelayStore {
    override async send(step: JobStep, delaySeconds: number): Promise<void> {
      const { refusedSince } = step.kind === 'image' ? step : {};
      await super.send(
        refusedSince ? ({ ...step, refusedSince: refusedSince - 600_000 } as ImageStep) : step,
        delaySeconds,
      );
    }
  }
  azure.setFlex('no-capacity');
  const id = await newJob(2, { fallback: true });
  expect(await run(id, new TenMinutesLaterStore())).toMatchObject({ status: 'done', answered: 2, failed: 0 });
  expect((await resultsOf(id)).map(({ tier }) => tier)).toEqual(['standard', 'standard']);
  expect(new Set(requestedTiers())).toEqual(new Set(['flex', 'default']));
});

test('fails a flex job at once if the model does not support flex', async () => {
  azure.setFlex('unsupported');
  const id = await newJob(40);
  const status = await run(id);
  expect(status).toMatchObject({ status: 'failed', answered: 0, problem: { code: 'invalid_request', status: 400 } });
  expect(JSON.stringify(status.problem)).toContain("the deployment's model does not support flex");
  expect(azure.model.requests.length).toBeLessThanOrEqual(BATCH);
});

test('tries an image five times if the model fails, then writes the failure as its result', async () => {
  azure.model.fail({ status: 500 }, 5);
  const id = await newJob(1);
  expect(await run(id)).toMatchObject({ status: 'done', answered: 0, failed: 1 });
  expect((await resultsOf(id))[0]?.problem?.code).toBe('upstream_error');
  expect(azure.model.requests).toHaveLength(5);
});

test('writes blob_not_found as the result of an image that was deleted after it was listed', async () => {
  class DeletingStore extends ShortDelayStore {
    override async keepPage(...[job, page, found]: Parameters<JobStore['keepPage']>) {
      await storage.images.getBlobClient(`${job}/001.png`).delete();
      return super.keepPage(job, page, found);
    }
  }
  const id = await newJob(3);
  expect(await run(id, new DeletingStore())).toMatchObject({ status: 'done', answered: 2, failed: 1 });
  expect((await resultsOf(id))[1]?.problem?.code).toBe('blob_not_found');
});

test('after a cancel, asks about no further image and keeps the results so far', async () => {
  class CancellingStore extends ShortDelayStore {
    override async keepResult(...[job, page, at, result]: Parameters<JobStore['keepResult']>) {
      await super.keepResult(job, page, at, result);
      if (at === 2) await this.end(job, { cancelled: new Date().toISOString() });
    }
  }
  const id = await newJob(60);
  const status = await run(id, new CancellingStore());
  expect(status.status).toBe('cancelled');
  expect(status.found).toBe(60);
  expect(azure.model.requests.length).toBeLessThanOrEqual(BATCH);
  expect(await resultsOf(id)).toHaveLength(azure.model.requests.length);
  const asked = azure.model.requests.length;
  await expect(run(id)).resolves.toMatchObject({ status: 'cancelled' });
  expect(azure.model.requests).toHaveLength(asked);
});

test('counts the tokens of an answer that was cut off', async () => {
  const schema = { type: 'object', properties: { what: { type: 'string' } }, required: ['what'] };
  const id = await newJob(1, { question: { instructions: 'What is this?', detail: 'high', maxTokens: 1, schema } });
  const { usage } = await run(id);
  const [result] = await resultsOf(id);
  expect(result?.problem?.code).toBe('answer_incomplete');
  expect(result?.usage.outputTokens).toBe(1);
  expect(usage).toEqual(result?.usage);
});

test('with a concurrency of 2, asks about two images and reads a third one meanwhile, but no fourth', async () => {
  const id = await newJob(8);
  const thirdIsRead = Promise.withResolvers<void>();
  const peak = { inMemory: 0, asked: 0 };
  const current = { inMemory: 0, asked: 0 };
  const begin = (stage: keyof typeof current): void => {
    current[stage] += 1;
    peak[stage] = Math.max(peak[stage], current[stage]);
  };
  const counting: WorkerOptions['prepare'] = async (...image) => {
    begin('inMemory');
    if (current.inMemory > 2) thirdIsRead.resolve();
    const ask = await prepare(...image);
    return async (serviceTier) => {
      begin('asked');
      await thirdIsRead.promise;
      const asked = await ask(serviceTier);
      current.asked -= 1;
      current.inMemory -= 1;
      return asked;
    };
  };
  expect(await run(id, new ShortDelayStore(), 1, { prepare: counting, concurrency: 2 })).toMatchObject({ answered: 8 });
  expect(peak).toEqual({ inMemory: 3, asked: 2 });
});

test('asks once if there are two messages for the same image', async () => {
  class DoublingStore extends ShortDelayStore {
    override async sendAll(steps: readonly JobStep[]): Promise<void> {
      await super.sendAll([...steps, ...steps.map((step) => ({ ...step, key: randomUUID() }))]);
    }
  }
  const id = await newJob(10);
  expect(await run(id, new DoublingStore(), 2)).toMatchObject({ status: 'done', answered: 10, failed: 0 });
  expect(azure.model.requests).toHaveLength(10);
});

test('does not ask again if a message is delivered again after its result was written', async () => {
  const id = await newJob(1);
  const sent: JobStep[] = [];
  class RecordingStore extends ShortDelayStore {
    override async sendAll(steps: readonly JobStep[]): Promise<void> {
      sent.push(...steps);
      await super.sendAll(steps);
    }
  }
  await run(id, new RecordingStore());
  const delivery = { message: { step: sent[0] }, count: 2, invocationId: 'again', log: () => undefined };
  await createWorker(new ShortDelayStore()).work(delivery);
  expect(azure.model.requests).toHaveLength(1);
});

test('answers every image and asks about none twice while the storage of jobs fails now and then', async () => {
  let calls = 0;
  const failNowAndThen = (): void => {
    calls += 1;
    if (calls % 4 === 0) throw new Problem('storage_error', 'The storage account fails now and then.');
  };
  class FlakyStore extends ShortDelayStore {
    #hasListed = false;
    override async claim(step: JobStep) {
      failNowAndThen();
      const claimed = await super.claim(step);
      failNowAndThen();
      return claimed;
    }
    override async hasResult(...given: Parameters<JobStore['hasResult']>) {
      failNowAndThen();
      return super.hasResult(...given);
    }
    override async sendAll(steps: readonly JobStep[]): Promise<void> {
      await super.sendAll(this.#hasListed ? steps : steps.slice(0, 3));
      if (!this.#hasListed) {
        this.#hasListed = true;
        throw new Problem('storage_error', 'The queue fails in the middle.');
      }
    }
  }
  const id = await newJob(8);
  expect(await run(id, new FlakyStore())).toMatchObject({ status: 'done', found: 8, answered: 8, failed: 0 });
  expect(calls).toBeGreaterThan(8);
  expect(azure.model.requests).toHaveLength(8);
});

describe('a message that was in progress when a process ended', () => {
  const log = () => undefined;
  const imageStep = (job: string, crashes = 0): ImageStep => {
    const blob = `${job}/000.png`;
    return { kind: 'image', job, page: 0, at: 0, blob, key: 'k', tries: 0, resends: 0, crashes };
  };

  class RecordingStore extends ShortDelayStore {
    readonly sent: JobStep[] = [];
    override async send(step: JobStep, delaySeconds: number): Promise<void> {
      this.sent.push(step);
      await super.send(step, delaySeconds);
    }
  }

  test('is sent again if it had claimed its image, and the crash is counted', async () => {
    const id = await newJob(1);
    const store = new RecordingStore();
    const step = imageStep(id);
    await store.claim(step);
    await createWorker(store).work({ message: { step }, count: 2, invocationId: 'b', log });
    expect(azure.model.requests).toHaveLength(0);
    expect(store.sent).toEqual([{ ...step, crashes: 1 }]);
  });

  test('asks about its image if it had not claimed it yet', async () => {
    const id = await newJob(1);
    const store = new RecordingStore();
    await createWorker(store).work({ message: { step: imageStep(id) }, count: 4, invocationId: 'b', log });
    expect(azure.model.requests).toHaveLength(1);
    expect(store.sent).toEqual([]);
  });

  test('is replaced with a new one at its fifth delivery, before the host gives it up', async () => {
    const id = await newJob(1);
    const store = new RecordingStore();
    const step = imageStep(id);
    await createWorker(store).work({ message: { step }, count: 5, invocationId: 'b', log });
    expect(azure.model.requests).toHaveLength(0);
    expect(store.sent).toEqual([step]);
  });

  test('writes internal_error as the result after ten crashes, without asking again', async () => {
    const id = await newJob(1);
    await storage.queues.getQueueClient('vision-jobs').clearMessages();
    const store = new ShortDelayStore();
    const page = { job: id, page: 0, key: 'k', tries: 0, kind: 'page' } as const;
    const worker = createWorker(store);
    await worker.work({ message: { step: page }, count: 1, invocationId: 'a', log });
    const step = imageStep(id, 10);
    await worker.work({ message: { step }, count: 1, invocationId: 'b', log });
    expect(await store.status(id)).toMatchObject({ status: 'done', failed: 1 });
    expect((await resultsOf(id))[0]?.problem).toMatchObject({ code: 'internal_error' });
    expect(azure.model.requests).toHaveLength(0);
  });

  test('tries a page again after five deliveries, and fails the job if that was the fifth attempt', async () => {
    const id = await newJob(1);
    const store = new RecordingStore();
    const page = { job: id, page: 0, key: 'k', tries: 0, kind: 'page' } as const;
    await createWorker(store).work({ message: { step: page }, count: 5, invocationId: 'a', log });
    expect(store.sent).toEqual([{ ...page, tries: 1 }]);
    await createWorker(store).work({ message: { step: { ...page, tries: 4 } }, count: 5, invocationId: 'b', log });
    expect(await store.status(id)).toMatchObject({ status: 'failed', problem: { code: 'internal_error' } });
  });
});

test('is done with a problem that names the prefix if no blob has it, and keeps that problem', async () => {
  const id = await newJob(0);
  const status = await run(id);
  const detail = expect.stringMatching(/begins with the prefix in source/);
  expect(status).toMatchObject({ status: 'done', found: 0, problem: { code: 'blob_not_found', status: 404, detail } });
  expect(await new ShortDelayStore().status(id)).toEqual(status);
});

test('is done with a problem that names the container if that is empty', async () => {
  await storage.blobs.createContainer('empty');
  const id = await newJob(0, { container: proxy.images.replace('/images', '/empty'), prefix: '' });
  const problem = { code: 'blob_not_found', detail: expect.stringMatching(/container .*is empty/) };
  expect(await run(id)).toMatchObject({ status: 'done', found: 0, problem });
});

test('fails the job with blob_not_found if its container does not exist', async () => {
  const id = await newJob(1, { container: proxy.images.replace('/images', '/nowhere') });
  expect(await run(id)).toMatchObject({ status: 'failed', problem: { code: 'blob_not_found' } });
});

test('rejects a message that another program sent', async () => {
  const delivery = { message: { step: { kind: 'other' } }, count: 1, invocationId: 'x', log: () => undefined };
  await expect(createWorker(new ShortDelayStore()).work(delivery)).rejects.toThrow('not a job message');
});
