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
  HastyStore,
  newJob,
  prepare,
  proxy,
  resetPlatform,
  resultsOf,
  run,
  startPlatform,
  storage,
} from './platform.ts';

// Messages that are put off take seconds, and a busy machine takes longer.
vi.setConfig({ testTimeout: 120_000 });

beforeAll(startPlatform);
afterAll(endPlatform);
beforeEach(resetPlatform);

function tiersAsked(): unknown[] {
  return azure.model.requests.map(({ body }) => (body as { service_tier?: string }).service_tier);
}

test('every image has one line of results, in order: an answer, or the problem of the image', async () => {
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
  expect(tiersAsked()).toEqual(Array.from({ length: 5 }, () => 'flex'));
});

test('a container of several pages is asked about whole, and nothing twice', async () => {
  /** Lists five at once. */
  class Paging extends HastyStore {
    override async list(...[container, prefix, after]: Parameters<JobStore['list']>) {
      const { blobs } = await super.list(container, prefix, undefined);
      const from = Number(after ?? 0);
      return { blobs: blobs.slice(from, from + 5), next: from + 5 < blobs.length ? String(from + 5) : null };
    }
  }
  const id = await newJob(22, { tier: 'standard' });
  const status = await run(id, new Paging(), 2);
  expect(status).toMatchObject({ status: 'done', found: 22, answered: 22, failed: 0 });
  const names = (await resultsOf(id)).map(({ blob }) => blob.split('/').at(-1));
  expect(names).toEqual(Array.from({ length: 22 }, (_, at) => `${String(at).padStart(3, '0')}.png`));
  expect(azure.model.requests).toHaveLength(22);
  expect(new Set(tiersAsked())).toEqual(new Set([undefined]));
});

test('an image that the model has no time for is put off and counts as no failure', async () => {
  azure.model.fail({ status: 429, headers: { 'retry-after': '1' } }, 7);
  const status = await run(await newJob(6));
  expect(status).toMatchObject({ status: 'done', answered: 6, failed: 0 });
  expect(azure.model.requests).toHaveLength(6 + 7);
});

test('flex without capacity is waited for', async () => {
  azure.setFlex('no-capacity');
  setTimeout(() => azure.setFlex('available'), 2_000);
  const id = await newJob(3);
  expect(await run(id)).toMatchObject({ status: 'done', answered: 3, failed: 0 });
  expect((await resultsOf(id)).map(({ tier }) => tier)).toEqual(['flex', 'flex', 'flex']);
});

test('with fallback, an image that flex has refused for ten minutes is asked at the standard price', async () => {
  class TenMinutesLater extends HastyStore {
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
  expect(await run(id, new TenMinutesLater())).toMatchObject({ status: 'done', answered: 2, failed: 0 });
  expect((await resultsOf(id)).map(({ tier }) => tier)).toEqual(['standard', 'standard']);
  expect(new Set(tiersAsked())).toEqual(new Set(['flex', 'default']));
});

test('a job at flex fails at once if the model does not take flex', async () => {
  azure.setFlex('unsupported');
  const id = await newJob(40);
  const status = await run(id);
  expect(status).toMatchObject({ status: 'failed', answered: 0, problem: { code: 'invalid_request', status: 400 } });
  expect(JSON.stringify(status.problem)).toContain("the deployment's model does not support flex");
  expect(azure.model.requests.length).toBeLessThanOrEqual(BATCH);
});

test('a failure of the model is tried five times, and then it is the result', async () => {
  azure.model.fail({ status: 500 }, 5);
  const id = await newJob(1);
  expect(await run(id)).toMatchObject({ status: 'done', answered: 0, failed: 1 });
  expect((await resultsOf(id))[0]?.problem?.code).toBe('upstream_error');
  expect(azure.model.requests).toHaveLength(5);
});

test('an image that was deleted after it was listed has that as its result', async () => {
  class Deleting extends HastyStore {
    override async keepPage(...[job, page, found]: Parameters<JobStore['keepPage']>) {
      await storage.images.getBlobClient(`${job}/001.png`).delete();
      return super.keepPage(job, page, found);
    }
  }
  const id = await newJob(3);
  expect(await run(id, new Deleting())).toMatchObject({ status: 'done', answered: 2, failed: 1 });
  expect((await resultsOf(id))[1]?.problem?.code).toBe('blob_not_found');
});

test('after a cancel nothing more is asked, and what is answered stays', async () => {
  class Cancelling extends HastyStore {
    override async keepResult(...[job, page, at, result]: Parameters<JobStore['keepResult']>) {
      await super.keepResult(job, page, at, result);
      if (at === 2) await this.end(job, { cancelled: new Date().toISOString() });
    }
  }
  const id = await newJob(60);
  const status = await run(id, new Cancelling());
  expect(status.status).toBe('cancelled');
  expect(status.found).toBe(60);
  expect(azure.model.requests.length).toBeLessThanOrEqual(BATCH);
  expect(await resultsOf(id)).toHaveLength(azure.model.requests.length);
  const asked = azure.model.requests.length;
  await expect(run(id)).resolves.toMatchObject({ status: 'cancelled' });
  expect(azure.model.requests).toHaveLength(asked);
});

test('tokens of an answer that is cut off are counted', async () => {
  const schema = { type: 'object', properties: { what: { type: 'string' } }, required: ['what'] };
  const id = await newJob(1, { question: { instructions: 'What is this?', detail: 'high', maxTokens: 1, schema } });
  const { usage } = await run(id);
  const [result] = await resultsOf(id);
  expect(result?.problem?.code).toBe('answer_incomplete');
  expect(result?.usage.outputTokens).toBe(1);
  expect(usage).toEqual(result?.usage);
});

test('while two images are asked about, one more is read, and no fourth', async () => {
  const id = await newJob(8);
  const ahead = Promise.withResolvers<void>();
  const most = { inMemory: 0, asked: 0 };
  const now = { inMemory: 0, asked: 0 };
  const begin = (stage: keyof typeof now): void => {
    now[stage] += 1;
    most[stage] = Math.max(most[stage], now[stage]);
  };
  const counting: WorkerOptions['prepare'] = async (...image) => {
    begin('inMemory');
    if (now.inMemory > 2) ahead.resolve();
    const ask = await prepare(...image);
    return async (serviceTier) => {
      begin('asked');
      await ahead.promise;
      const asked = await ask(serviceTier);
      now.asked -= 1;
      now.inMemory -= 1;
      return asked;
    };
  };
  expect(await run(id, new HastyStore(), 1, { prepare: counting, concurrency: 2 })).toMatchObject({ answered: 8 });
  expect(most).toEqual({ inMemory: 3, asked: 2 });
});

test('two messages about one image ask once', async () => {
  class Doubling extends HastyStore {
    override async sendAll(steps: readonly JobStep[]): Promise<void> {
      await super.sendAll([...steps, ...steps.map((step) => ({ ...step, key: randomUUID() }))]);
    }
  }
  const id = await newJob(10);
  expect(await run(id, new Doubling(), 2)).toMatchObject({ status: 'done', answered: 10, failed: 0 });
  expect(azure.model.requests).toHaveLength(10);
});

test('a message that comes again after its result asks no more', async () => {
  const id = await newJob(1);
  const kept: JobStep[] = [];
  class Keeping extends HastyStore {
    override async sendAll(steps: readonly JobStep[]): Promise<void> {
      kept.push(...steps);
      await super.sendAll(steps);
    }
  }
  await run(id, new Keeping());
  const delivery = { message: { step: kept[0] }, count: 2, invocationId: 'again', log: () => undefined };
  await createWorker(new HastyStore()).work(delivery);
  expect(azure.model.requests).toHaveLength(1);
});

test('faults of the storage of jobs lose no image and no answer', async () => {
  let calls = 0;
  const failNowAndThen = (): void => {
    calls += 1;
    if (calls % 4 === 0) throw new Problem('storage_error', 'The storage account fails now and then.');
  };
  class Flaky extends HastyStore {
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
  expect(await run(id, new Flaky())).toMatchObject({ status: 'done', found: 8, answered: 8, failed: 0 });
  expect(calls).toBeGreaterThan(8);
  expect(azure.model.requests).toHaveLength(8);
});

describe('messages that were in hand when a process ended', () => {
  const log = () => undefined;
  const imageStep = (job: string, crashes = 0): ImageStep => {
    const blob = `${job}/000.png`;
    return { kind: 'image', job, page: 0, at: 0, blob, key: 'k', tries: 0, turn: 0, crashes };
  };

  class Sending extends HastyStore {
    readonly sent: JobStep[] = [];
    override async send(step: JobStep, delaySeconds: number): Promise<void> {
      this.sent.push(step);
      await super.send(step, delaySeconds);
    }
  }

  test('an image that was being asked about is sent again, apart from the others', async () => {
    const id = await newJob(1);
    const store = new Sending();
    const step = imageStep(id);
    await store.claim(step);
    await createWorker(store).work({ message: { step }, count: 2, invocationId: 'b', log });
    expect(azure.model.requests).toHaveLength(0);
    expect(store.sent).toEqual([{ ...step, crashes: 1 }]);
  });

  test('an image whose turn had not come is asked about', async () => {
    const id = await newJob(1);
    const store = new Sending();
    await createWorker(store).work({ message: { step: imageStep(id) }, count: 4, invocationId: 'b', log });
    expect(azure.model.requests).toHaveLength(1);
    expect(store.sent).toEqual([]);
  });

  test('a message that was in hand five times is sent anew, before the host gives it up', async () => {
    const id = await newJob(1);
    const store = new Sending();
    const step = imageStep(id);
    await createWorker(store).work({ message: { step }, count: 5, invocationId: 'b', log });
    expect(azure.model.requests).toHaveLength(0);
    expect(store.sent).toEqual([step]);
  });

  test('an image that ended ten processes is asked about no more', async () => {
    const id = await newJob(1);
    await storage.queues.getQueueClient('vision-jobs').clearMessages();
    const store = new HastyStore();
    const page = { job: id, page: 0, key: 'k', tries: 0, kind: 'page' } as const;
    const worker = createWorker(store);
    await worker.work({ message: { step: page }, count: 1, invocationId: 'a', log });
    const step = imageStep(id, 10);
    await worker.work({ message: { step }, count: 1, invocationId: 'b', log });
    expect(await store.status(id)).toMatchObject({ status: 'done', failed: 1 });
    expect((await resultsOf(id))[0]?.problem).toMatchObject({ code: 'internal_error' });
    expect(azure.model.requests).toHaveLength(0);
  });

  test('a page that ended five processes is sent anew, and fails the job the fifth time', async () => {
    const id = await newJob(1);
    const store = new Sending();
    const page = { job: id, page: 0, key: 'k', tries: 0, kind: 'page' } as const;
    await createWorker(store).work({ message: { step: page }, count: 5, invocationId: 'a', log });
    expect(store.sent).toEqual([{ ...page, tries: 1 }]);
    await createWorker(store).work({ message: { step: { ...page, tries: 4 } }, count: 5, invocationId: 'b', log });
    expect(await store.status(id)).toMatchObject({ status: 'failed', problem: { code: 'internal_error' } });
  });
});

test('a container that is not there fails the job, and says so', async () => {
  const id = await newJob(1, { container: proxy.images.replace('/images', '/nowhere') });
  expect(await run(id)).toMatchObject({ status: 'failed', problem: { code: 'blob_not_found' } });
});

test('a message that is none of ours is given back', async () => {
  const delivery = { message: { step: { kind: 'other' } }, count: 1, invocationId: 'x', log: () => undefined };
  await expect(createWorker(new HastyStore()).work(delivery)).rejects.toThrow('not a job message');
});
