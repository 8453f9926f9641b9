import { randomUUID } from 'node:crypto';
import type { ContainerClient } from '@azure/storage-blob';
import type { QueueClient } from '@azure/storage-queue';
import * as v from 'valibot';
import type { Deadline } from '../http/deadline.ts';
import type { Storage } from '../storage/account.ts';
import { JOBS } from '../config/storage.ts';
import { attempt, JobBlobs } from './blobs.ts';
import { type ImageResult, JobRequest, type JobStatus, type JobStep } from './job.ts';
import { DoneStatus, encode, Tally } from './tally.ts';

/** A message may wait as long as it has to; the service's own limit is seven days. */
const NEVER_EXPIRES = -1;
/** What one page lists. One message lists it and writes a message for each image, well within its time. */
const PAGE_SIZE = 200;
/** Messages written, and results read, at once. */
const AT_ONCE = 16;

/**
 * A page of the container as it was found; written once, so that listing it again finds the same. It has names and no ETags: a blob
 * that is replaced after it was listed is asked about as it is then.
 */
const Page = v.object({ blobs: v.array(v.string()), next: v.nullable(v.string()) });
export type Page = v.InferOutput<typeof Page>;

/** A job as it was asked for, and whether it goes on. */
export interface KnownJob {
  readonly request: JobRequest;
  readonly isOver: boolean;
}

/** Why a job ends before its time. */
type End = { readonly cancelled: string } | { readonly failed: string; readonly problem: object };

/**
 * Where jobs are kept: blobs whose names follow from what they are, each written once. Nothing is counted in one place that
 * many write to; a job's status is made from a listing of its blobs, 5,000 in a request.
 *
 * ```
 * jobs/ID/job.json            what was asked; its metadata say whether the job was cancelled or has failed
 * jobs/ID/pages/PAGE          names of a page's images; metadata: how many, and whether it is the last
 * jobs/ID/results/PAGE-AT     the result of one image, a line of NDJSON; metadata: its outcome and its tokens
 * jobs/ID/done.json           the status of a job that is done, which does not change any more
 * claims/ID/PAGE              the key of the message that lists a page
 * claims/ID/PAGE-AT           the key of the message that asks about an image
 * ```
 */
export class JobStore {
  readonly #blobs: JobBlobs;
  readonly #queue: QueueClient;
  readonly #deadline: Pick<Deadline, 'race' | 'signal'>;

  /** @param deadline - of the request or the message that it is for: what is not done by then fails, and nothing is done after */
  constructor(
    storage: Storage,
    { blobService, queueService }: { blobService: string; queueService: string },
    deadline: Pick<Deadline, 'race' | 'signal'>,
  ) {
    this.#deadline = deadline;
    this.#blobs = new JobBlobs(storage.container(`${blobService}/${JOBS}`, deadline.signal), deadline);
    this.#queue = storage.queue(`${queueService}/${JOBS}`, deadline.signal);
  }

  /**
   * Writes down a new job and has its first page listed.
   * @throws {Problem} if storage fails; then there is no job
   */
  async create(job: string, request: JobRequest, traceparent: string | undefined): Promise<void> {
    await this.#blobs.writeOnce(jobName(job), JSON.stringify(request));
    const first = { kind: 'page', job, page: 0, key: randomUUID(), tries: 0 } as const;
    try {
      await this.send({ ...first, ...(traceparent ? { traceparent } : {}) }, 0);
    } catch (error) {
      await this.#blobs.tryToDelete(jobName(job));
      throw error;
    }
  }

  /** @returns undefined if there is no such job */
  async find(job: string): Promise<KnownJob | undefined> {
    const found = await this.#blobs.read(jobName(job));
    if (!found) return undefined;
    return {
      request: v.parse(JobRequest, JSON.parse(found.text)),
      isOver: 'cancelled' in found.metadata || 'failed' in found.metadata,
    };
  }

  /** Ends a job, unless it has ended already. No image of it is asked about after that. */
  async end(job: string, end: End): Promise<void> {
    const metadata = 'cancelled' in end ? end : { failed: end.failed, problem: encode(end.problem) };
    await this.#blobs.markOnce(jobName(job), metadata, ['cancelled', 'failed']);
  }

  /** @returns undefined if the page was not listed yet */
  async page(job: string, page: number): Promise<Page | undefined> {
    const found = await this.#blobs.read(pageName(job, page));
    return found && v.parse(Page, JSON.parse(found.text));
  }

  /**
   * Lists a page of the container that a job is about.
   * @throws {Problem} as reading a blob does
   */
  async list(container: ContainerClient, prefix: string, after: string | undefined): Promise<Page> {
    return attempt(this.#deadline, { url: container.url, kind: 'read' }, async () => {
      const pages = container
        .listBlobsFlat({ prefix, abortSignal: this.#deadline.signal })
        .byPage({ maxPageSize: PAGE_SIZE, ...(after ? { continuationToken: after } : {}) });
      for await (const { segment, continuationToken } of pages)
        return { blobs: segment.blobItems.map(({ name }) => name), next: continuationToken || null };
      return { blobs: [], next: null };
    });
  }

  /** @returns the page that is kept: this one, or one that another message wrote before */
  async keepPage(job: string, page: number, found: Page): Promise<Page> {
    const metadata = { count: String(found.blobs.length), last: String(found.next === null) };
    const isNew = await this.#blobs.writeOnce(pageName(job, page), JSON.stringify(found), metadata);
    return isNew ? found : ((await this.page(job, page)) ?? found);
  }

  /** Sends a message that is seen after so many seconds. */
  async send(step: JobStep, delaySeconds: number): Promise<void> {
    const message = Buffer.from(JSON.stringify({ step })).toString('base64');
    const options = { visibilityTimeout: delaySeconds, messageTimeToLive: NEVER_EXPIRES };
    await attempt(this.#deadline, { url: this.#queue.url, kind: 'queue' }, async () =>
      this.#queue.sendMessage(message, options),
    );
  }

  async sendAll(steps: readonly JobStep[]): Promise<void> {
    for await (const _ of inOrder(steps, async (step) => this.send(step, 0)));
  }

  /**
   * Whether this is the message that does a step. There are two about one step if a process ended while it wrote messages;
   * only the first to claim the step does it, as often as it is delivered.
   */
  async claim(step: JobStep): Promise<{ isOurs: boolean; isNew: boolean }> {
    const { job, page, key } = step;
    const name = `claims/${job}/${step.kind === 'page' ? pageNumber(page) : imageName(page, step.at)}`;
    if (await this.#blobs.writeOnce(name, key)) return { isOurs: true, isNew: true };
    return { isOurs: (await this.#blobs.read(name))?.text === key, isNew: false };
  }

  async hasResult(job: string, page: number, at: number): Promise<boolean> {
    return this.#blobs.exists(resultName(job, page, at));
  }

  /** Keeps the first result of an image, and no other. */
  async keepResult(job: string, page: number, at: number, result: ImageResult): Promise<void> {
    const { usage, tier } = result;
    const metadata = {
      outcome: result.problem ? 'failed' : 'answered',
      tier,
      input: String(usage.inputTokens),
      cached: String(usage.cachedInputTokens),
      output: String(usage.outputTokens),
      reasoning: String(usage.reasoningTokens),
      total: String(usage.totalTokens),
    };
    await this.#blobs.writeOnce(resultName(job, page, at), `${JSON.stringify(result)}\n`, metadata);
  }

  /** @returns undefined if there is no such job */
  async status(job: string): Promise<JobStatus | undefined> {
    const done = await this.#blobs.read(`jobs/${job}/done.json`);
    if (done) return v.parse(DoneStatus, JSON.parse(done.text));
    const found = await this.find(job);
    if (!found) return undefined;
    const tally = new Tally();
    for await (const blob of this.#blobs.list(`jobs/${job}/`, true)) tally.add(blob);
    const status = tally.status(job, found.request.startedAt);
    if (status.status === 'done') await this.#blobs.writeOnce(`jobs/${job}/done.json`, JSON.stringify(status));
    return status;
  }

  /** The lines of the results there are, in the order of the container. */
  async *results(job: string): AsyncGenerator<string> {
    const names = this.#blobs.list(`jobs/${job}/results/`, false);
    for await (const found of inOrder(names, async ({ name }) => this.#blobs.read(name))) if (found) yield found.text;
  }
}

/** Zeros in front, so that names sort as their numbers do. */
function pageNumber(page: number): string {
  return String(page).padStart(7, '0');
}

function jobName(job: string): string {
  return `jobs/${job}/job.json`;
}

function pageName(job: string, page: number): string {
  return `jobs/${job}/pages/${pageNumber(page)}`;
}

function imageName(page: number, at: number): string {
  return `${pageNumber(page)}-${String(at).padStart(4, '0')}`;
}

function resultName(job: string, page: number, at: number): string {
  return `jobs/${job}/results/${imageName(page, at)}`;
}

/** Works on several items at once, and gives what comes of them in their order. */
async function* inOrder<T, R>(items: Iterable<T> | AsyncIterable<T>, work: (item: T) => Promise<R>): AsyncGenerator<R> {
  const started: Promise<R>[] = [];
  for await (const item of items) {
    const result = work(item);
    // Whoever waits for it is told.
    result.catch(() => undefined);
    started.push(result);
    const first = started.length < AT_ONCE ? undefined : started.shift();
    if (first) yield await first;
  }
  for (const result of started) yield await result;
}
