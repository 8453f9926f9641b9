import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import * as v from 'valibot';
import { readSettings } from '../../src/config/settings.ts';
import type { Deadline } from '../../src/http/deadline.ts';
import { Problem } from '../../src/http/problem.ts';
import type { ImageStep, JobStep, PageStep } from '../../src/jobs/job.ts';
import { LIMITS } from '../../src/jobs/work.ts';
import type { StorageFault } from '../storage/storage-proxy.ts';
import { azure, createWorker, endPlatform, newJob, proxy, ShortDelayStore, startPlatform } from './platform.ts';

/** Far below the timeout of a test, and below the 30 seconds after which one attempt at storage times out. */
const SHORT = { answerMs: 3_000, keepMs: 2_000, sendMs: 8_000 };
vi.setConfig({ testTimeout: 28_000 });

beforeAll(startPlatform);
afterAll(endPlatform);

/** The fault of each job's requests to storage, by the job's id. The URLs of the requests contain the id. */
const faults = new Map<string, (request: IncomingMessage) => StorageFault | undefined>();
function faultOfJob(request: IncomingMessage): StorageFault | undefined {
  for (const [id, fault] of faults) if (request.url?.includes(id)) return fault(request);
  return undefined;
}
beforeAll(() => proxy.setFault(faultOfJob));

class RecordingStore extends ShortDelayStore {
  readonly #sent: JobStep[];

  constructor(deadline: Deadline, sent: JobStep[]) {
    super(deadline);
    this.#sent = sent;
  }

  override async send(step: JobStep, delaySeconds: number): Promise<void> {
    await super.send(step, delaySeconds);
    this.#sent.push(step);
  }
}

const image = (job: string): ImageStep => {
  const blob = `${job}/000.png`;
  return { kind: 'image', job, page: 0, at: 0, blob, key: 'k', tries: 0, resends: 0, crashes: 0 };
};
const page = (job: string): PageStep => ({ kind: 'page', job, page: 0, key: 'k', tries: 0 });

/**
 * Processes a message within short time limits.
 * @returns the messages that were sent again, or the problem that the worker threw, so that the host keeps the message
 */
async function processMessage(step: JobStep): Promise<JobStep[] | Problem> {
  const sent: JobStep[] = [];
  const delivery = { message: { step }, count: 1, invocationId: 'x', log: () => undefined };
  try {
    const store = (deadline: Deadline): RecordingStore => new RecordingStore(deadline, sent);
    await createWorker(undefined, { limits: SHORT, store }).work(delivery);
    return sent;
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
}

const HOST_SETTINGS = v.parse(
  v.object({
    functionTimeout: v.string(),
    extensions: v.object({ queues: v.object({ batchSize: v.number(), newBatchThreshold: v.number() }) }),
  }),
  JSON.parse(readFileSync(new URL('../../host.json', import.meta.url), 'utf8')),
);

/** The method of each stage's requests, and a part of their URL. */
const STAGES = {
  'reading the job': ['GET', '/job.json'],
  claiming: ['PUT', '/claims/'],
  'reading the image': ['GET', '/images/'],
  'writing the result': ['PUT', '/results/'],
  'reading a page': ['GET', '/pages/'],
  listing: ['GET', 'comp=list'],
  'writing a page': ['PUT', '/pages/'],
} as const;
type Stage = keyof typeof STAGES;

const isRequestOf =
  (stage: Stage) =>
  ({ method, url }: IncomingMessage): boolean =>
    method === STAGES[stage][0] && url?.includes(STAGES[stage][1]) === true;

const FAULTS: readonly StorageFault[] = ['hang', 'refuse', 'break'];
const IMAGE_STAGES: readonly Stage[] = ['reading the job', 'claiming', 'writing the result'];
const PAGE_STAGES: readonly Stage[] = ['reading the job', 'claiming', 'reading a page', 'writing a page'];

describe('if the storage of jobs fails, a message is sent again in time, which does not count as an attempt', () => {
  const cases = FAULTS.flatMap((fault) => [
    ...IMAGE_STAGES.map((stage) => ({ fault, stage, make: image, what: 'image' })),
    ...PAGE_STAGES.map((stage) => ({ fault, stage, make: page, what: 'page' })),
  ]);
  test.concurrent.each(cases)('$what: $fault while $stage', async ({ fault, stage, make }) => {
    const id = await newJob(1);
    faults.set(id, (request) => (isRequestOf(stage)(request) ? fault : undefined));
    const step = make(id);
    expect(await processMessage(step)).toEqual([step]);
  });
});

describe('a failure that concerns the image counts as an attempt', () => {
  test('the model never answers', async () => {
    azure.model.fail({ silent: true });
    const step = image(await newJob(1));
    expect(await processMessage(step)).toEqual([{ ...step, tries: 1, resends: 1 }]);
  });

  test.concurrent.each(FAULTS)('the image cannot be read from storage: %j', async (fault) => {
    const id = await newJob(1);
    faults.set(id, (request) => (isRequestOf('reading the image')(request) ? fault : undefined));
    const step = image(id);
    expect(await processMessage(step)).toEqual([{ ...step, tries: 1, resends: 1 }]);
  });
});

test.concurrent.each(FAULTS)('a failure to list the container counts as an attempt: %j', async (fault) => {
  const id = await newJob(1);
  faults.set(id, (request) => (isRequestOf('listing')(request) ? fault : undefined));
  const step = page(id);
  expect(await processMessage(step)).toEqual([{ ...step, tries: 1 }]);
});

test.each(FAULTS)('throws if the queue accepts no new message, so the host keeps the old one: %j', async (fault) => {
  const id = await newJob(1);
  proxy.setFault(() => fault);
  const thrown = await processMessage(image(id)).finally(() => proxy.setFault(faultOfJob));
  expect(thrown).toMatchObject({ code: fault === 'refuse' ? 'storage_access_denied' : 'storage_error' });
});

test('the time limits add up to less than functionTimeout, after which the host restarts the worker', () => {
  const { functionTimeout } = HOST_SETTINGS;
  const [hours = 0, minutes = 0, seconds = 0] = functionTimeout.split(':').map(Number);
  const { answerMs, keepMs, sendMs } = LIMITS;
  expect(answerMs + keepMs + sendMs).toBeLessThan((hours * 3_600 + minutes * 60 + seconds) * 1_000);
});

test('host.json fetches enough messages at once for the default and the highest JOBS_CONCURRENCY', () => {
  const { batchSize, newBatchThreshold } = HOST_SETTINGS.extensions.queues;
  const concurrency = (value?: string): number | undefined =>
    readSettings({ ...process.env, ...(value ? { JOBS_CONCURRENCY: value } : {}) }).jobs?.concurrency;
  // While the host fetches a batch, the messages that are still in progress must fill all places.
  expect(newBatchThreshold).toBeGreaterThanOrEqual(concurrency() ?? Infinity);
  expect(concurrency(String(batchSize + newBatchThreshold))).toBe(batchSize + newBatchThreshold);
  expect(() => concurrency(String(batchSize + newBatchThreshold + 1))).toThrow('JOBS_CONCURRENCY');
});
