import { randomUUID } from 'node:crypto';
import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { Model } from '../../src/azure/model.ts';
import { createStorageIdentity } from '../../src/azure/identity.ts';
import { readSettings } from '../../src/config/settings.ts';
import { type EmulatedAzure, startAzure } from '../../src/dev/emulator/azure.ts';
import { type EmulatedStorage, startStorage } from '../../src/dev/emulator/storage.ts';
import { InFlight } from '../../src/http/in-flight.ts';
import { Problem } from '../../src/http/problem.ts';
import type { ImageResult, ImageStep, JobRequest, JobStatus, JobStep } from '../../src/jobs/job.ts';
import { JobStore } from '../../src/jobs/store.ts';
import { JobWorker, LIMITS } from '../../src/jobs/worker.ts';
import { toVisionRequest } from '../../src/routes/process-image.ts';
import { createService, type Service } from '../../src/routes/service.ts';
import { Storage } from '../../src/storage/account.ts';
import { askAtTier } from '../../src/vision/ask.ts';

const FINAL = new Set(['done', 'cancelled', 'failed']);
const BATCH = 16;
const before = { ...process.env };

// Messages that are put off take seconds, and a busy machine takes longer.
vi.setConfig({ testTimeout: 120_000 });

let azure: EmulatedAzure;
let storage: EmulatedStorage;
let service: Service;
let account: Storage;

beforeAll(async () => {
  [azure, storage] = await Promise.all([startAzure({ record: true }), startStorage()]);
  Object.assign(process.env, azure.env, storage.env);
  const settings = readSettings(process.env);
  service = createService(settings, process.env);
  account = new Storage(createStorageIdentity(settings, process.env));
  await storage.ready;
});

afterAll(async () => {
  process.env = before;
  azure.close();
  await storage.close();
});

beforeEach(async () => {
  azure.reset();
  await storage.queues.getQueueClient('vision-jobs').clearMessages();
});

/** Waits a second at most, where a job in Azure waits minutes. */
class HastyStore extends JobStore {
  constructor() {
    const { jobs } = service.settings;
    if (!jobs) throw new Error('the settings have no jobs');
    super(account, jobs);
  }

  override async send(step: JobStep, delaySeconds: number): Promise<void> {
    await super.send(step, Math.min(delaySeconds, 1));
  }
}

/** Works through a job as the host's queue trigger does, with so many workers, until it is over or the queue is empty for long. */
async function run(id: string, store: JobStore = new HastyStore(), workers = 1): Promise<JobStatus> {
  const queue = storage.queues.getQueueClient('vision-jobs');
  const all = Array.from({ length: workers }, () => createWorker(store));
  const deadline = Date.now() + 100_000;
  for (;;) {
    const { receivedMessageItems } = await queue.receiveMessages({ numberOfMessages: BATCH, visibilityTimeout: 1 });
    await Promise.all(
      receivedMessageItems.map(async ({ messageId, messageText, popReceipt, dequeueCount }, at) => {
        const message: unknown = JSON.parse(Buffer.from(messageText, 'base64').toString());
        const log = () => undefined;
        const delivery = { message, count: dequeueCount, invocationId: randomUUID(), log };
        // Whatever it throws, the host delivers the message again.
        await all[at % workers]?.work(delivery).then(
          async () => queue.deleteMessage(messageId, popReceipt),
          () => undefined,
        );
      }),
    );
    const status = await store.status(id);
    if (status && FINAL.has(status.status)) return status;
    if (Date.now() > deadline) throw new Error(`the job is not over: ${JSON.stringify(status)}`);
  }
}

function createWorker(store: JobStore): JobWorker {
  const { settings, admission, imageReader, tokens } = service;
  const model = new Model({ ...settings, upstreamMaxRetries: 0 }, tokens);
  return new JobWorker({
    store,
    container: (url) => account.container(url),
    ask: async (bytes, question, serviceTier, caller) => {
      const readImage = imageReader.forRequest(caller);
      const vision = await toVisionRequest(question, [bytes], readImage, { options: settings, plainText: false });
      return askAtTier(model, vision, serviceTier, caller);
    },
    admission,
    inFlight: new InFlight(),
    maxImageBytes: settings.maxImageBytes,
    concurrency: 4,
    limits: LIMITS,
  });
}

/** A job over so many new images and what else is in its folder. */
async function newJob(
  count: number,
  more: Partial<JobRequest> = {},
  others: Record<string, Buffer> = {},
): Promise<string> {
  const id = randomUUID();
  const image = await sharp({ create: { width: 8, height: 8, channels: 3, background: 'teal' } })
    .png()
    .toBuffer();
  const images = Object.fromEntries(
    Array.from({ length: count }, (_, at) => [`${String(at).padStart(3, '0')}.png`, image]),
  );
  await Promise.all(
    Object.entries({ ...images, ...others }).map(async ([name, bytes]) =>
      storage.images.getBlockBlobClient(`${id}/${name}`).uploadData(bytes),
    ),
  );
  const question = { instructions: 'What is this?', detail: 'high', maxTokens: 100 } as const;
  const request = { container: storage.images.url, prefix: `${id}/`, question, tier: 'flex', fallback: false } as const;
  await new HastyStore().create(id, { ...request, startedAt: new Date().toISOString(), ...more }, undefined);
  return id;
}

async function resultsOf(id: string): Promise<(ImageResult & { problem?: { code: string } })[]> {
  return (await Array.fromAsync(new HastyStore().results(id))).map((line) => JSON.parse(line));
}

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

test('a container of several pages is listed whole, and nothing twice', async () => {
  const id = await newJob(220, { tier: 'standard' });
  const status = await run(id, new HastyStore(), 2);
  expect(status).toMatchObject({ status: 'done', found: 220, answered: 220, failed: 0 });
  expect(new Set((await resultsOf(id)).map(({ blob }) => blob)).size).toBe(220);
  expect(azure.model.requests).toHaveLength(220);
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
  expect(JSON.stringify(status.problem)).toContain("the deployment's model does not take flex");
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
    override async claim(step: ImageStep) {
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
  const imageStep = (job: string, more: Partial<ImageStep> = {}): ImageStep => ({
    ...{ job, page: 0, at: 0, blob: `${job}/000.png`, key: 'k', tries: 0, turn: 0, crashes: 0, kind: 'image' },
    ...more,
  });

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
    await createWorker(store).work({ message: { step: imageStep(id) }, count: 9, invocationId: 'b', log });
    expect(azure.model.requests).toHaveLength(1);
    expect(store.sent).toEqual([]);
  });

  test('an image that ended ten processes is asked about no more', async () => {
    const id = await newJob(1);
    await storage.queues.getQueueClient('vision-jobs').clearMessages();
    const store = new HastyStore();
    const page = { job: id, page: 0, tries: 0, kind: 'page' } as const;
    const worker = createWorker(store);
    await worker.work({ message: { step: page }, count: 1, invocationId: 'a', log });
    const step = imageStep(id, { crashes: 10 });
    await worker.work({ message: { step }, count: 1, invocationId: 'b', log });
    expect(await store.status(id)).toMatchObject({ status: 'done', failed: 1 });
    expect((await resultsOf(id))[0]?.problem).toMatchObject({ code: 'internal_error' });
    expect(azure.model.requests).toHaveLength(0);
  });

  test('a page that ended ten processes is sent again, and fails the job the fifth time', async () => {
    const id = await newJob(1);
    const store = new Sending();
    const page = { job: id, page: 0, tries: 0, kind: 'page' } as const;
    await createWorker(store).work({ message: { step: page }, count: 10, invocationId: 'a', log });
    expect(store.sent).toEqual([{ ...page, tries: 1 }]);
    await createWorker(store).work({ message: { step: { ...page, tries: 4 } }, count: 10, invocationId: 'b', log });
    expect(await store.status(id)).toMatchObject({ status: 'failed', problem: { code: 'internal_error' } });
  });
});

test('a container that is not there fails the job, and says so', async () => {
  const id = await newJob(1, { container: storage.images.url.replace('/images', '/nowhere') });
  expect(await run(id)).toMatchObject({ status: 'failed', problem: { code: 'blob_not_found' } });
});

test('a message that is none of ours is given back', async () => {
  const delivery = { message: { step: { kind: 'other' } }, count: 1, invocationId: 'x', log: () => undefined };
  await expect(createWorker(new HastyStore()).work(delivery)).rejects.toThrow('no message of a job');
});
