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

/** Messages never expire. The service's default is 7 days. */
const NEVER_EXPIRES = -1;
/** The images of a page. One message lists a page and sends a message for each image, well within its time limit. */
const PAGE_SIZE = 200;
/** How many messages are written, or results read, at the same time. */
const AT_ONCE = 16;

/**
 * A page of the container, as it was first listed. It is written once, so that a repeated listing gets the same. It has
 * names but no ETags: if a blob is replaced after it was listed, the new one counts.
 */
const Page = v.object({ blobs: v.array(v.string()), next: v.nullable(v.string()) });
export type Page = v.InferOutput<typeof Page>;

/** A job that exists. */
export interface KnownJob {
  readonly request: JobRequest;
  /** Whether it was cancelled or has failed. */
  readonly isOver: boolean;
}

/** Why a job ends early, and when. */
type End = { readonly cancelled: string } | { readonly failed: string; readonly problem: object };

/**
 * The storage of jobs. Each fact is a blob that is written once, under a name that follows from the fact. There are no
 * shared counters, which processes would compete for: a job's status is computed from a listing of its blobs, 5,000 in
 * each request.
 *
 * ```
 * jobs/ID/job.json            the request; metadata: whether the job was cancelled or has failed
 * jobs/ID/pages/PAGE          the names of a page's images; metadata: how many, and whether it is the last page
 * jobs/ID/results/PAGE-AT     the result of one image, a line of NDJSON; metadata: its outcome and its tokens
 * jobs/ID/done.json           the final status of a job that is done
 * claims/ID/PAGE              the key of the message that lists a page
 * claims/ID/PAGE-AT           the key of the message that asks about an image
 * ```
 */
export class JobStore {
  readonly #blobs: JobBlobs;
  readonly #queue: QueueClient;
  readonly #deadline: Pick<Deadline, 'race' | 'signal'>;

  /** @param deadline - the deadline of the request or message. Calls to storage that are not finished by then fail. */
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
   * Creates a job, and sends the message that lists its first page.
   * @throws {Problem} if storage fails; there is no job then
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

  /** Reads a job. Returns undefined if there is no such job. */
  async find(job: string): Promise<KnownJob | undefined> {
    const found = await this.#blobs.read(jobName(job));
    if (!found) return undefined;
    return {
      request: v.parse(JobRequest, JSON.parse(found.text)),
      isOver: 'cancelled' in found.metadata || 'failed' in found.metadata,
    };
  }

  /** Cancels a job or lets it fail, unless that has happened already. None of its images is asked about after that. */
  async end(job: string, end: End): Promise<void> {
    const metadata = 'cancelled' in end ? end : { failed: end.failed, problem: encode(end.problem) };
    await this.#blobs.markOnce(jobName(job), metadata, ['cancelled', 'failed']);
  }

  /** Reads a page. Returns undefined if it has not been listed yet. */
  async page(job: string, page: number): Promise<Page | undefined> {
    const found = await this.#blobs.read(pageName(job, page));
    return found && v.parse(Page, JSON.parse(found.text));
  }

  /**
   * Lists a page of the container with a job's images.
   * @param after - `next` of the previous page; undefined for the first page
   * @throws {Problem} if the container cannot be listed
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

  /**
   * Writes a page, unless it has been written already.
   * @param problem - the problem of the job if no page has an image
   * @returns the page that is stored: this one, or the earlier one
   */
  async keepPage(job: string, page: number, found: Page, problem?: object): Promise<Page> {
    const metadata = {
      count: String(found.blobs.length),
      last: String(found.next === null),
      ...(problem ? { problem: encode(problem) } : {}),
    };
    const isNew = await this.#blobs.writeOnce(pageName(job, page), JSON.stringify(found), metadata);
    return isNew ? found : ((await this.page(job, page)) ?? found);
  }

  /** Sends a message that becomes visible after this many seconds. */
  async send(step: JobStep, delaySeconds: number): Promise<void> {
    const message = Buffer.from(JSON.stringify({ step })).toString('base64');
    const options = { visibilityTimeout: delaySeconds, messageTimeToLive: NEVER_EXPIRES };
    await attempt(this.#deadline, { url: this.#queue.url, kind: 'queue' }, async () =>
      this.#queue.sendMessage(message, options),
    );
  }

  /** Sends messages that are visible at once. */
  async sendAll(steps: readonly JobStep[]): Promise<void> {
    for await (const _ of inOrder(steps, async (step) => this.send(step, 0)));
  }

  /**
   * Claims a step for a message. There may be two messages for one step if a process ended while it sent messages. Only
   * the first one that claims the step does it, also if it is delivered again.
   * @returns whether this message has the claim, and whether the claim is new
   */
  async claim(step: JobStep): Promise<{ isOurs: boolean; isNew: boolean }> {
    const { job, page, key } = step;
    const name = `claims/${job}/${step.kind === 'page' ? pageNumber(page) : imageName(page, step.at)}`;
    if (await this.#blobs.writeOnce(name, key)) return { isOurs: true, isNew: true };
    return { isOurs: (await this.#blobs.read(name))?.text === key, isNew: false };
  }

  /** Whether an image has a result. */
  async hasResult(job: string, page: number, at: number): Promise<boolean> {
    return this.#blobs.exists(resultName(job, page, at));
  }

  /** Writes the result of an image, unless it has one already. */
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

  /** Computes the status of a job, and stores it if the job is done. Returns undefined if there is no such job. */
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

  /** Reads the results so far, one line each, in the order of the container. */
  async *results(job: string): AsyncGenerator<string> {
    const names = this.#blobs.list(`jobs/${job}/results/`, false);
    for await (const found of inOrder(names, async ({ name }) => this.#blobs.read(name))) if (found) yield found.text;
  }
}

/** Pads the number with zeros, so that names sort in the order of their numbers. */
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

/** Works on several items at the same time, and yields the results in the order of the items. */
async function* inOrder<T, R>(items: Iterable<T> | AsyncIterable<T>, work: (item: T) => Promise<R>): AsyncGenerator<R> {
  const started: Promise<R>[] = [];
  for await (const item of items) {
    const result = work(item);
    // The awaiting caller gets the rejection. Until then, it must not count as unhandled.
    result.catch(() => undefined);
    started.push(result);
    const first = started.length < AT_ONCE ? undefined : started.shift();
    if (first) yield await first;
  }
  for (const result of started) yield await result;
}
