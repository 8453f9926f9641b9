import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import { Model } from '../../src/azure/model.ts';
import { createStorageIdentity } from '../../src/azure/identity.ts';
import { readSettings } from '../../src/config/settings.ts';
import { type EmulatedAzure, startAzure } from '../../src/dev/emulator/azure.ts';
import { type EmulatedStorage, startStorage } from '../../src/dev/emulator/storage.ts';
import type { Deadline } from '../../src/http/deadline.ts';
import { InFlight } from '../../src/http/in-flight.ts';
import type { ImageResult, JobRequest, JobStatus, JobStep } from '../../src/jobs/job.ts';
import { JobStore } from '../../src/jobs/store.ts';
import { LIMITS, type WorkerOptions } from '../../src/jobs/work.ts';
import { JobWorker } from '../../src/jobs/worker.ts';
import { jobWorker } from '../../src/routes/job-worker.ts';
import { toVisionRequest } from '../../src/routes/process-image.ts';
import { createService, type Service } from '../../src/routes/service.ts';
import { Storage } from '../../src/storage/account.ts';
import { askAtTier } from '../../src/vision/ask.ts';
import { startStorageProxy, type StorageProxy } from '../storage/storage-proxy.ts';

const FINAL = new Set(['done', 'cancelled', 'failed']);
export const BATCH = 16;
/** Between two looks at an empty queue. */
const PAUSE_MS = 100;
const WITHOUT_END = { signal: new AbortController().signal, race: async <T>(work: Promise<T>): Promise<T> => work };
const before = { ...process.env };

/** Set by {@link startPlatform}. */
export let azure: EmulatedAzure;
export let storage: EmulatedStorage;
/** Between the workers and the storage. */
export let proxy: StorageProxy;
let service: Service;
let account: Storage;

/** Starts the emulated model, identity and storage that the workers of this file's tests work with. */
export async function startPlatform(): Promise<void> {
  [azure, storage] = await Promise.all([startAzure({ record: true }), startStorage()]);
  proxy = await startStorageProxy(storage);
  Object.assign(process.env, azure.env, proxy.env);
  const settings = readSettings(process.env);
  service = createService(settings, process.env);
  account = new Storage(createStorageIdentity(settings, process.env));
  await storage.ready;
}

export async function endPlatform(): Promise<void> {
  process.env = before;
  azure.close();
  proxy.close();
  await storage.close();
}

/** Forgets faults, what was asked, and the messages of other tests. */
export async function resetPlatform(): Promise<void> {
  azure.reset();
  proxy.setFault(() => undefined);
  await storage.queues.getQueueClient('vision-jobs').clearMessages();
}

/** Waits a second at most, where a job in Azure waits minutes. */
export class HastyStore extends JobStore {
  constructor(deadline: Pick<Deadline, 'race' | 'signal'> = WITHOUT_END) {
    const { jobs } = service.settings;
    if (!jobs) throw new Error('the settings have no jobs');
    super(account, jobs, deadline);
  }

  override async send(step: JobStep, delaySeconds: number): Promise<void> {
    await super.send(step, Math.min(delaySeconds, 1));
  }
}

/** Works through a job as the host's queue trigger does, with so many workers, until it is over or the queue is empty for long. */
export async function run(
  id: string,
  store: JobStore = new HastyStore(),
  workers = 1,
  more: Partial<WorkerOptions> = {},
): Promise<JobStatus> {
  const queue = storage.queues.getQueueClient('vision-jobs');
  const all = Array.from({ length: workers }, () => createWorker(store, more));
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
    if (receivedMessageItems.length === BATCH && Date.now() < deadline) continue;
    // While the storage fails, nothing is known.
    const status = await store.status(id).catch(() => undefined);
    if (status && FINAL.has(status.status)) return status;
    if (Date.now() > deadline) throw new Error(`the job is not over: ${JSON.stringify(status)}`);
    if (receivedMessageItems.length === 0) await sleep(PAUSE_MS);
  }
}

/** Prepares an image for the emulated model, as the app does. */
export const prepare: WorkerOptions['prepare'] = async (bytes, question, caller) => {
  const { settings, imageReader, tokens } = service;
  const readImage = imageReader.forRequest(caller);
  const vision = await toVisionRequest(question, [bytes], readImage, { options: settings, plainText: false });
  const model = new Model({ ...settings, upstreamMaxRetries: 0 }, tokens);
  return async (serviceTier) => askAtTier(model, vision, serviceTier, caller);
};

/** @param store - for any number of messages; by default, each has one of its own with its deadline */
export function createWorker(store?: JobStore, more: Partial<WorkerOptions> = {}): JobWorker {
  const { settings, admission } = service;
  return new JobWorker({
    store: (deadline) => store ?? new HastyStore(deadline),
    container: (url) => account.container(url),
    prepare,
    admission,
    inFlight: new InFlight(),
    maxImageBytes: settings.maxImageBytes,
    concurrency: 4,
    limits: LIMITS,
    ...more,
  });
}

/** What works on messages in the app itself. */
export function appWorker(): JobWorker['work'] {
  const worker = jobWorker(service, { inFlight: new InFlight(), observe: undefined });
  if (!worker) throw new Error('the settings have no worker of jobs');
  return worker.work;
}

/** A job over so many new images and what else is in its folder. */
export async function newJob(
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
  const request = { container: proxy.images, prefix: `${id}/`, question, tier: 'flex', fallback: false } as const;
  await new HastyStore().create(id, { ...request, startedAt: new Date().toISOString(), ...more }, undefined);
  return id;
}

export async function resultsOf(id: string): Promise<(ImageResult & { problem?: { code: string } })[]> {
  return (await Array.fromAsync(new HastyStore().results(id))).map((line) => JSON.parse(line));
}
