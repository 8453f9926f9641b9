import { randomUUID } from 'node:crypto';
import type { BlobItem, BlobUploadCommonResponse, ContainerClient } from '@azure/storage-blob';
import type { QueueClient } from '@azure/storage-queue';
import * as v from 'valibot';
import type { Deadline } from '../http/deadline.ts';
import { type Storage, type StorageUse, statusOf, storageFailure } from '../storage/account.ts';
import type { Usage } from '../vision/completion.ts';
import { JOBS } from '../config/storage.ts';
import { type ImageResult, JobRequest, type JobStatus, type JobStep, NO_USAGE } from './job.ts';

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
  readonly #blobs: ContainerClient;
  readonly #queue: QueueClient;
  readonly #deadline: Pick<Deadline, 'race' | 'signal'>;

  /** @param deadline - of the request or the message that it is for: what is not done by then fails, and nothing is done after */
  constructor(
    storage: Storage,
    { blobService, queueService }: { blobService: string; queueService: string },
    deadline: Pick<Deadline, 'race' | 'signal'>,
  ) {
    this.#deadline = deadline;
    this.#blobs = storage.container(`${blobService}/${JOBS}`, deadline.signal);
    this.#queue = storage.queue(`${queueService}/${JOBS}`, deadline.signal);
  }

  /** Writes down a new job and has its first page listed. */
  async create(job: string, request: JobRequest, traceparent: string | undefined): Promise<void> {
    await this.#writeOnce(`jobs/${job}/job.json`, JSON.stringify(request), {});
    const first = { kind: 'page', job, page: 0, key: randomUUID(), tries: 0 } as const;
    await this.send({ ...first, ...(traceparent ? { traceparent } : {}) }, 0);
  }

  /** @returns undefined if there is no such job */
  async find(job: string): Promise<KnownJob | undefined> {
    const found = await this.#read(`jobs/${job}/job.json`);
    if (!found) return undefined;
    return {
      request: v.parse(JobRequest, JSON.parse(found.text)),
      isOver: 'cancelled' in found.metadata || 'failed' in found.metadata,
    };
  }

  /** Ends a job, unless it has ended already. No image of it is asked about after that. */
  async end(job: string, end: End): Promise<void> {
    const blob = this.#blobs.getBlobClient(`jobs/${job}/job.json`);
    const metadata = 'cancelled' in end ? end : { failed: end.failed, problem: encode(end.problem) };
    await this.#try(async () => {
      const { metadata: known = {}, etag } = await blob.getProperties();
      if ('cancelled' in known || 'failed' in known) return;
      // If somebody else ends it at this moment, it has ended.
      await blob.setMetadata(metadata, { conditions: etag ? { ifMatch: etag } : {} }).catch(unless(412));
    });
  }

  /** @returns undefined if the page was not listed yet */
  async page(job: string, page: number): Promise<Page | undefined> {
    const found = await this.#read(pageName(job, page));
    return found && v.parse(Page, JSON.parse(found.text));
  }

  /**
   * Lists a page of the container that a job is about.
   * @throws {Problem} as reading a blob does
   */
  async list(container: ContainerClient, prefix: string, after: string | undefined): Promise<Page> {
    return this.#try(
      async () => {
        const pages = container
          .listBlobsFlat({ prefix, abortSignal: this.#deadline.signal })
          .byPage({ maxPageSize: PAGE_SIZE, ...(after ? { continuationToken: after } : {}) });
        for await (const { segment, continuationToken } of pages)
          return { blobs: segment.blobItems.map(({ name }) => name), next: continuationToken || null };
        return { blobs: [], next: null };
      },
      { url: container.url, kind: 'read' },
    );
  }

  /** @returns the page that is kept: this one, or one that another message wrote before */
  async keepPage(job: string, page: number, found: Page): Promise<Page> {
    const metadata = { count: String(found.blobs.length), last: String(found.next === null) };
    const isNew = await this.#writeOnce(pageName(job, page), JSON.stringify(found), metadata);
    return isNew ? found : ((await this.page(job, page)) ?? found);
  }

  /** Sends a message that is seen after so many seconds. */
  async send(step: JobStep, delaySeconds: number): Promise<void> {
    const message = Buffer.from(JSON.stringify({ step })).toString('base64');
    await this.#try(
      async () =>
        this.#queue.sendMessage(message, { visibilityTimeout: delaySeconds, messageTimeToLive: NEVER_EXPIRES }),
      { url: this.#queue.url, kind: 'queue' },
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
    if (await this.#writeOnce(name, key, {})) return { isOurs: true, isNew: true };
    return { isOurs: (await this.#read(name))?.text === key, isNew: false };
  }

  async hasResult(job: string, page: number, at: number): Promise<boolean> {
    return this.#try(async () => this.#blobs.getBlobClient(resultName(job, page, at)).exists());
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
    await this.#writeOnce(resultName(job, page, at), `${JSON.stringify(result)}\n`, metadata);
  }

  /** @returns undefined if there is no such job */
  async status(job: string): Promise<JobStatus | undefined> {
    const done = await this.#read(`jobs/${job}/done.json`);
    if (done) return v.parse(DoneStatus, JSON.parse(done.text));
    const found = await this.find(job);
    if (!found) return undefined;
    const tally = new Tally();
    await this.#try(async () => {
      for await (const blob of this.#blobs.listBlobsFlat({ prefix: `jobs/${job}/`, includeMetadata: true }))
        tally.add(blob);
    });
    const status = tally.status(job, found.request.startedAt);
    if (status.status === 'done') await this.#writeOnce(`jobs/${job}/done.json`, JSON.stringify(status), {});
    return status;
  }

  /** The lines of the results there are, in the order of the container. */
  async *results(job: string): AsyncGenerator<string> {
    const names = this.#blobs.listBlobsFlat({ prefix: `jobs/${job}/results/` });
    const texts = inOrder(names, async ({ name }) => this.#read(name));
    for (;;) {
      const { done, value } = await this.#try(async () => texts.next());
      if (done) return;
      if (value) yield value.text;
    }
  }

  async #read(name: string): Promise<{ text: string; metadata: Record<string, string> } | undefined> {
    return this.#try(async () => {
      const blob = this.#blobs.getBlobClient(name);
      try {
        const { metadata = {}, readableStreamBody } = await blob.download();
        return { metadata, text: await textOf(readableStreamBody) };
      } catch (error) {
        if (codeOf(error) === 'BlobNotFound') return undefined;
        throw error;
      }
    });
  }

  /** @returns whether it was not there */
  async #writeOnce(name: string, text: string, metadata: Record<string, string>): Promise<boolean> {
    const blob = this.#blobs.getBlockBlobClient(name);
    const written = await this.#try(async (): Promise<BlobUploadCommonResponse | undefined> => {
      const options = { metadata, conditions: { ifNoneMatch: '*' } };
      return blob.upload(text, Buffer.byteLength(text), options).catch(unless(409, 412));
    });
    return written !== undefined;
  }

  async #try<T>(work: () => Promise<T>, use: StorageUse = { url: this.#blobs.url, kind: 'jobs' }): Promise<T> {
    try {
      return await this.#deadline.race(work());
    } catch (error) {
      throw storageFailure(error, use, this.#deadline.signal);
    }
  }
}

const Count = v.number();
const DoneStatus = v.object({
  id: v.string(),
  status: v.literal('done'),
  found: Count,
  answered: Count,
  failed: Count,
  usage: v.object({
    inputTokens: Count,
    cachedInputTokens: Count,
    outputTokens: Count,
    reasoningTokens: Count,
    totalTokens: Count,
  }),
  startedAt: v.string(),
  finishedAt: v.string(),
});

/** Adds up a job's blobs. */
class Tally {
  #found = 0;
  #answered = 0;
  #failed = 0;
  #isListed = false;
  #usage = NO_USAGE;
  #last: Date | undefined;
  #end: Record<string, string> = {};

  add({ name, metadata = {}, properties }: BlobItem): void {
    if (name.endsWith('/job.json')) this.#end = metadata;
    if (name.includes('/pages/')) {
      this.#found += number(metadata['count']);
      this.#isListed ||= metadata['last'] === 'true';
    }
    if (!name.includes('/results/')) return;
    if (metadata['outcome'] === 'answered') this.#answered += 1;
    else this.#failed += 1;
    this.#usage = add(this.#usage, metadata);
    if (!this.#last || properties.lastModified > this.#last) this.#last = properties.lastModified;
  }

  status(id: string, startedAt: string): JobStatus {
    const [found, answered, failed, usage] = [this.#found, this.#answered, this.#failed, this.#usage];
    const known = { id, found, answered, failed, usage, startedAt };
    const { cancelled, failed: failedAt, problem } = this.#end;
    if (failedAt) return { ...known, status: 'failed', finishedAt: failedAt, problem: problem && decode(problem) };
    if (cancelled) return { ...known, status: 'cancelled', finishedAt: cancelled };
    if (!this.#isListed) return { ...known, status: 'listing', finishedAt: null };
    if (answered + failed < found) return { ...known, status: 'running', finishedAt: null };
    return { ...known, status: 'done', finishedAt: this.#last?.toISOString() ?? startedAt };
  }
}

function add(usage: Usage, { input, cached, output, reasoning, total }: Record<string, string>): Usage {
  return {
    inputTokens: usage.inputTokens + number(input),
    cachedInputTokens: usage.cachedInputTokens + number(cached),
    outputTokens: usage.outputTokens + number(output),
    reasoningTokens: usage.reasoningTokens + number(reasoning),
    totalTokens: usage.totalTokens + number(total),
  };
}

function number(text: string | undefined): number {
  return Number(text ?? 0);
}

/** Zeros in front, so that names sort as their numbers do. */
function pageNumber(page: number): string {
  return String(page).padStart(7, '0');
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

/** Metadata travel as headers, which take ASCII only. */
function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64');
}

function decode(text: string): unknown {
  return JSON.parse(Buffer.from(text, 'base64').toString());
}

async function textOf(stream: NodeJS.ReadableStream | undefined): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream ?? []) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString();
}

/** Passes over an error of one of these statuses. */
function unless(...statuses: readonly number[]): (error: unknown) => undefined {
  return (error) => {
    if (!statuses.includes(statusOf(error) ?? 0)) throw error;
    return undefined;
  };
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
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
