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
/** How many messages are received at once. */
export const BATCH = 16;
/** How long to wait before an empty queue is read again. */
const PAUSE_MS = 100;
const NO_DEADLINE = { signal: new AbortController().signal, race: async <T>(work: Promise<T>): Promise<T> => work };
const originalEnv = { ...process.env };

/** Set by {@link startPlatform}. */
export let azure: EmulatedAzure;
export let storage: EmulatedStorage;
/** The proxy between the workers and the storage. */
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
  process.env = originalEnv;
  azure.close();
  proxy.close();
  await storage.close();
}

/** Removes all faults, the recorded requests to the model, and the messages of other tests. */
export async function resetPlatform(): Promise<void> {
  azure.reset();
  proxy.setFault(() => undefined);
  await storage.queues.getQueueClient('vision-jobs').clearMessages();
}

/** A store that delays messages by a second at most. In Azure, a job waits for minutes. */
export class ShortDelayStore extends JobStore {
  constructor(deadline: Pick<Deadline, 'race' | 'signal'> = NO_DEADLINE) {
    const { jobs } = service.settings;
    if (!jobs) throw new Error('the settings do not configure jobs');
    super(account, jobs, deadline);
  }

  override async send(step: JobStep, delaySeconds: number): Promise<void> {
    await super.send(step, Math.min(delaySeconds, 1));
  }
}

/**
 * Processes the messages in the queue, as the host's queue trigger does, until a job has ended.
 * @param workers - how many workers share the messages
 * @throws {Error} if the job has not ended after 100 seconds
 */
export async function run(
  id: string,
  store: JobStore = new ShortDelayStore(),
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
        // If the worker throws, the message stays in the queue and is delivered again.
        await all[at % workers]?.work(delivery).then(
          async () => queue.deleteMessage(messageId, popReceipt),
          () => undefined,
        );
      }),
    );
    if (receivedMessageItems.length === BATCH && Date.now() < deadline) continue;
    // While the storage fails, the status is unknown.
    const status = await store.status(id).catch(() => undefined);
    if (status && FINAL.has(status.status)) return status;
    if (Date.now() > deadline) throw new Error(`the job has not ended: ${JSON.stringify(status)}`);
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

/** @param store - a store for all messages. By default, each message gets its own store with its own deadline. */
export function createWorker(store?: JobStore, more: Partial<WorkerOptions> = {}): JobWorker {
  const { settings, admission } = service;
  return new JobWorker({
    store: (deadline) => store ?? new ShortDelayStore(deadline),
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

/** Returns the function with which the app itself processes messages. */
export function appWorker(): JobWorker['work'] {
  const worker = jobWorker(service, { inFlight: new InFlight(), observe: undefined });
  if (!worker) throw new Error('the settings do not enable the worker of jobs');
  return worker.work;
}

/**
 * Creates a job with its own folder of images.
 * @param count - how many new images the folder has
 * @param others - further blobs of the folder, by name
 * @returns the job's id
 */
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
  await new ShortDelayStore().create(id, { ...request, startedAt: new Date().toISOString(), ...more }, undefined);
  return id;
}

export async function resultsOf(id: string): Promise<(ImageResult & { problem?: { code: string } })[]> {
  return (await Array.fromAsync(new ShortDelayStore().results(id))).map((line) => JSON.parse(line));
}
