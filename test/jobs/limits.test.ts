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
import { azure, createWorker, endPlatform, HastyStore, newJob, proxy, startPlatform } from './platform.ts';

/** Far below the 30 seconds after which a try at storage ends by itself, and the time of a test. */
const SHORT = { answerMs: 3_000, keepMs: 2_000, sendMs: 8_000 };
vi.setConfig({ testTimeout: 28_000 });

beforeAll(startPlatform);
afterAll(endPlatform);

/** The faults of each job's requests, by its id, which is in their URLs. */
const faults = new Map<string, (request: IncomingMessage) => StorageFault | undefined>();
function faultOfJob(request: IncomingMessage): StorageFault | undefined {
  for (const [id, fault] of faults) if (request.url?.includes(id)) return fault(request);
  return undefined;
}
beforeAll(() => proxy.setFault(faultOfJob));

class Sending extends HastyStore {
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
  return { kind: 'image', job, page: 0, at: 0, blob, key: 'k', tries: 0, turn: 0, crashes: 0 };
};
const page = (job: string): PageStep => ({ kind: 'page', job, page: 0, key: 'k', tries: 0 });

/** Works on a message within short limits. Returns what was sent again, or the problem with which it was given back. */
async function workOn(step: JobStep): Promise<JobStep[] | Problem> {
  const sent: JobStep[] = [];
  const delivery = { message: { step }, count: 1, invocationId: 'x', log: () => undefined };
  try {
    const store = (deadline: Deadline): Sending => new Sending(deadline, sent);
    await createWorker(undefined, { limits: SHORT, store }).work(delivery);
    return sent;
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
}

const HOST = v.parse(
  v.object({
    functionTimeout: v.string(),
    extensions: v.object({ queues: v.object({ batchSize: v.number(), newBatchThreshold: v.number() }) }),
  }),
  JSON.parse(readFileSync(new URL('../../host.json', import.meta.url), 'utf8')),
);

/** What the requests of each stage look like. */
const STAGES = {
  'reading the job': ['GET', '/job.json'],
  claiming: ['PUT', '/claims/'],
  'reading the image': ['GET', '/images/'],
  'keeping the result': ['PUT', '/results/'],
  'reading a page': ['GET', '/pages/'],
  listing: ['GET', 'comp=list'],
  'keeping a page': ['PUT', '/pages/'],
} as const;
type Stage = keyof typeof STAGES;

const isOf =
  (stage: Stage) =>
  ({ method, url }: IncomingMessage): boolean =>
    method === STAGES[stage][0] && url?.includes(STAGES[stage][1]) === true;

const FAULTS: readonly StorageFault[] = ['hang', 'refuse', 'break'];
const IMAGE_STAGES: readonly Stage[] = ['reading the job', 'claiming', 'keeping the result'];
const PAGE_STAGES: readonly Stage[] = ['reading the job', 'claiming', 'reading a page', 'keeping a page'];

describe('a message whose storage fails is sent again in time, and that counts as no try', () => {
  const cases = FAULTS.flatMap((fault) => [
    ...IMAGE_STAGES.map((stage) => ({ fault, stage, make: image, what: 'image' })),
    ...PAGE_STAGES.map((stage) => ({ fault, stage, make: page, what: 'page' })),
  ]);
  test.concurrent.each(cases)('$what: $fault while $stage', async ({ fault, stage, make }) => {
    const id = await newJob(1);
    faults.set(id, (request) => (isOf(stage)(request) ? fault : undefined));
    const step = make(id);
    expect(await workOn(step)).toEqual([step]);
  });
});

describe('what fails about an image is a try', () => {
  test('a model that never answers', async () => {
    azure.model.fail({ silent: true });
    const step = image(await newJob(1));
    expect(await workOn(step)).toEqual([{ ...step, tries: 1, turn: 1 }]);
  });

  test.concurrent.each(FAULTS)('an image that storage does not give: %j', async (fault) => {
    const id = await newJob(1);
    faults.set(id, (request) => (isOf('reading the image')(request) ? fault : undefined));
    const step = image(id);
    expect(await workOn(step)).toEqual([{ ...step, tries: 1, turn: 1 }]);
  });
});

test.concurrent.each(FAULTS)('a container that cannot be listed is listed again: %j', async (fault) => {
  const id = await newJob(1);
  faults.set(id, (request) => (isOf('listing')(request) ? fault : undefined));
  const step = page(id);
  expect(await workOn(step)).toEqual([{ ...step, tries: 1 }]);
});

test.each(FAULTS)('a message is given back to the host only if the queue does not take another: %j', async (fault) => {
  const id = await newJob(1);
  proxy.setFault(() => fault);
  const given = await workOn(image(id)).finally(() => proxy.setFault(faultOfJob));
  expect(given).toMatchObject({ code: fault === 'refuse' ? 'storage_access_denied' : 'storage_error' });
});

test('the limits are below the time after which the host restarts the worker', () => {
  const { functionTimeout } = HOST;
  const [hours = 0, minutes = 0, seconds = 0] = functionTimeout.split(':').map(Number);
  const { answerMs, keepMs, sendMs } = LIMITS;
  expect(answerMs + keepMs + sendMs).toBeLessThan((hours * 3_600 + minutes * 60 + seconds) * 1_000);
});

test('the host takes enough messages at once for every place in which an image is asked about', () => {
  const { batchSize, newBatchThreshold } = HOST.extensions.queues;
  const concurrency = (value?: string): number | undefined =>
    readSettings({ ...process.env, ...(value ? { JOBS_CONCURRENCY: value } : {}) }).jobs?.concurrency;
  // While a batch is fetched, those that are left in hand fill the places.
  expect(newBatchThreshold).toBeGreaterThanOrEqual(concurrency() ?? Infinity);
  expect(concurrency(String(batchSize + newBatchThreshold))).toBe(batchSize + newBatchThreshold);
  expect(() => concurrency(String(batchSize + newBatchThreshold + 1))).toThrow('JOBS_CONCURRENCY');
});
