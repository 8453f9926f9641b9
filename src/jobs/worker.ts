import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ContainerClient } from '@azure/storage-blob';
import * as v from 'valibot';
import type { Caller } from '../azure/model.ts';
import type { Admission, Reservation } from '../http/admission.ts';
import type { AnsweredRequest } from '../http/create-handler.ts';
import { Deadline } from '../http/deadline.ts';
import { describeError } from '../http/describe-error.ts';
import type { InFlight } from '../http/in-flight.ts';
import { Problem } from '../http/problem.ts';
import { problemBody } from '../http/problem-response.ts';
import { Stopwatch } from '../http/stopwatch.ts';
import { blobUrl } from '../storage/blob-url.ts';
import { readBlob } from '../storage/read-blob.ts';
import type { Answer } from '../vision/answer.ts';
import { type ImageResult, type ImageStep, JobMessage, NO_USAGE, type PageStep, type Tier } from './job.ts';
import type { JobStore, KnownJob, Page } from './store.ts';

/** How often a step is tried before its failure is its result. */
const MAX_TRIES = 5;
/** Seconds before the second try, three times as long before each further one: 10, 30, 90, 270. */
const RETRY_SECONDS = 10;
/** Seconds for which an image is put off if the service does not say for how long, doubled each time up to the limit. */
const POSTPONE_SECONDS = 5;
const MAX_POSTPONE_SECONDS = 300;
/** What keeps jobs themselves from being read or written is waited for without end. */
const STORAGE_SECONDS = 30;
/** The pause before an answer that could not be kept is kept again. */
const KEEP_AGAIN_MS = 5_000;
/** A pause that the service asks for is waited for in place if it is no longer than this, so that the queue does not turn over. */
const MAX_PAUSE_MS = 30_000;
/** An image ends no more processes than this. */
const MAX_CRASHES = 10;
/**
 * Seconds over which the images are spread that a process had in hand when it ended; doubled with each further end. The image that
 * ends processes is among them, and would otherwise take the same others with it each time.
 */
const CRASH_SPREAD_SECONDS = 5;
/** After so many deliveries a message is sent anew. The host gives it up after twice as many (maxDequeueCount in host.json). */
const MAX_DELIVERIES = 5;
/** After flex has refused an image for so long, a job with `fallback` asks at the standard price. */
const FALLBACK_AFTER_MS = 10 * 60_000;
/**
 * Milliseconds that a message may take in all: until an image is answered, waiting for its turn included; then until its result is
 * kept; then until a message that comes again is sent. Together they are below the functionTimeout in host.json, which would restart
 * the worker with all that it has in hand.
 */
export const LIMITS = { answerMs: 8 * 60_000, keepMs: 30_000, sendMs: 30_000 };

/** A message as it comes from the queue. */
export interface Delivery {
  readonly message: unknown;
  /** How often it was delivered, this time included. */
  readonly count: number;
  readonly invocationId: string;
  readonly log: (level: 'info' | 'error', line: string) => void;
}

/** An answer, and the price at which it was given. */
export interface Asked {
  readonly answer: Answer;
  readonly tier: Tier;
}

/** What the worker works with. */
export interface WorkerOptions {
  readonly store: (deadline: Deadline) => JobStore;
  readonly container: (url: string) => ContainerClient;
  /** Checks an image and asks about it. */
  readonly ask: (
    bytes: Buffer,
    question: KnownJob['request']['question'],
    serviceTier: 'flex' | 'default' | undefined,
    caller: Caller & { readonly reservation: Reservation },
  ) => Promise<Asked>;
  readonly admission: Admission;
  readonly inFlight: InFlight;
  readonly maxImageBytes: number;
  /** Images asked about at once. */
  readonly concurrency: number;
  readonly limits: typeof LIMITS;
  readonly observe?: ((request: AnsweredRequest) => void) | undefined;
}

/** What a step leads to: it is over, or it comes again after so many seconds. */
type Outcome = { readonly isOver: true } | { readonly again: ImageStep | PageStep; readonly seconds: number };

/** What is known of an image while it is being worked on. */
interface Work {
  readonly delivery: Delivery;
  /** Of the answer. */
  readonly deadline: Deadline;
  /** Of everything but a message that comes again. */
  readonly end: Deadline;
  readonly store: JobStore;
  readonly stopwatch: Stopwatch;
  readonly facts: Record<string, unknown>;
}

const OVER: Outcome = { isOver: true };

/**
 * Works on the messages of jobs. Whatever goes wrong with an image becomes its result, or a new message that is seen later; this
 * throws only if the queue itself does not take that message, so that the host delivers the old one again.
 */
export class JobWorker {
  readonly #options: WorkerOptions;
  readonly #waiting = new Set<() => void>();
  /** For each price that the service refuses: when it may be asked at again, by `performance.now()`, and which pause in a row this is. */
  readonly #pauses = new Map<Tier, { readonly until: number; readonly inRow: number }>();
  #asking = 0;

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  /** Does the step in a message. */
  readonly work = async (delivery: Delivery): Promise<void> => {
    if (!v.is(JobMessage, delivery.message)) throw new Error('this is no message of a job');
    const { step } = v.parse(JobMessage, delivery.message);
    const { store, inFlight, limits } = this.#options;
    const finish = inFlight.begin();
    const [deadline, end] = [new Deadline(limits.answerMs), new Deadline(limits.answerMs + limits.keepMs)];
    const facts = { job: step.job };
    const work: Work = { delivery, deadline, end, store: store(end), stopwatch: new Stopwatch(), facts };
    try {
      const outcome = await (step.kind === 'page' ? this.#list(step, work) : this.#askAbout(step, work)).catch(
        (error: unknown) => this.#later(step, error, work),
      );
      if ('again' in outcome) {
        if (step.kind === 'image') work.facts['outcome'] = 'postponed';
        await this.#sendAgain(outcome.again, outcome.seconds);
      }
    } finally {
      deadline.clear();
      end.clear();
      this.#report(step, work);
      finish();
    }
  };

  /** Writes down which images there are, then a message for the next page and one for each image. */
  async #list(step: PageStep, work: Work): Promise<Outcome> {
    const { store } = work;
    const { job, page, traceparent } = step;
    const known = await store.find(job);
    if (!known || known.isOver) return OVER;
    const listed =
      work.delivery.count >= MAX_DELIVERIES
        ? endsProcesses(MAX_DELIVERIES, 'listed this page')
        : ((await store.page(job, page)) ?? (await this.#find(step, known, work)));
    if (listed instanceof Problem) {
      const isLasting = listed.status < 500 || listed.code === 'storage_access_denied';
      if (!isLasting && step.tries + 1 < MAX_TRIES) return retry(step);
      await store.end(job, failed(listed, work));
      return OVER;
    }
    work.facts['listed'] = listed.blobs.length;
    const from = { job, page, tries: 0, ...(traceparent ? { traceparent } : {}) };
    if (listed.next) await store.send({ kind: 'page', ...from, page: page + 1 }, 0);
    await store.sendAll(
      Array.from(listed.blobs.entries(), ([at, blob]) => ({
        kind: 'image',
        at,
        blob,
        key: randomUUID(),
        turn: 0,
        crashes: 0,
        ...from,
      })),
    );
    return OVER;
  }

  /** @returns a problem if the container cannot be listed */
  async #find({ job, page }: PageStep, { request }: KnownJob, work: Work): Promise<Page | Problem> {
    const { container } = this.#options;
    const { store } = work;
    const before = page === 0 ? null : (await store.page(job, page - 1))?.next;
    const found = await store
      .list(container(request.container), request.prefix, before ?? undefined)
      .catch((error: unknown) => this.#toProblem(error, work));
    return found instanceof Problem ? found : store.keepPage(job, page, found);
  }

  async #askAbout(step: ImageStep, work: Work): Promise<Outcome> {
    const { store } = work;
    const { job } = step;
    const known = await store.find(job);
    if (!known || known.isOver) return OVER;
    // Processes have ended while it waited for its turn; that says nothing about the image.
    if (work.delivery.count >= MAX_DELIVERIES) return { again: step, seconds: Math.random() * CRASH_SPREAD_SECONDS };
    const { request } = known;
    const asked =
      step.crashes >= MAX_CRASHES
        ? unanswered(step, request, endsProcesses(MAX_CRASHES, 'asked about this image'), work)
        : await this.#outcome(step, known, work);
    if ('isOver' in asked || 'again' in asked) return asked;
    if (!(asked instanceof Problem)) {
      work.facts['outcome'] = asked.problem ? 'failed' : 'answered';
      await this.#keep(step, asked, work);
      return OVER;
    }
    if (isWithoutFlex(asked, request.tier)) {
      await store.end(job, failed(asked, work));
      return OVER;
    }
    if (!isBusy(asked)) return retry(step);
    if (asked.code === 'rate_limited') this.#pause(this.#tier(step, request), retryAfter(asked));
    return postpone(step, asked);
  }

  /** An answer is paid for, so keeping it is tried as long as there is time. */
  async #keep({ job, page, at }: ImageStep, result: ImageResult, { end, store }: Work): Promise<void> {
    for (;;) {
      try {
        await store.keepResult(job, page, at, result);
        return;
      } catch (error) {
        if (end.remaining() < KEEP_AGAIN_MS) throw error;
        await sleep(KEEP_AGAIN_MS);
      }
    }
  }

  /** @throws {Problem} if the queue does not take the message in time */
  async #sendAgain(step: ImageStep | PageStep, seconds: number): Promise<void> {
    const { store, limits } = this.#options;
    const deadline = new Deadline(limits.sendMs);
    // Spread, so that images put off together do not come back together.
    const delay = Math.round(seconds * (1 + Math.random() / 4));
    await store(deadline)
      .send(step, delay)
      .finally(() => deadline.clear());
  }

  /** What jobs are kept in cannot be read or written. That says nothing about the image, so it does not count as a try. */
  #later(step: ImageStep | PageStep, error: unknown, work: Work): Outcome {
    this.#toProblem(error, work);
    return { again: step, seconds: STORAGE_SECONDS };
  }

  /** @returns a problem if the image is to be tried again */
  async #outcome(step: ImageStep, known: KnownJob, work: Work): Promise<ImageResult | Problem | Outcome> {
    const { admission, maxImageBytes, container } = this.#options;
    const { deadline, stopwatch } = work;
    const tier = this.#tier(step, known.request);
    const leave = await this.#enter(tier, deadline).catch((error: unknown) => this.#toProblem(error, work));
    if (leave instanceof Problem) return leave;
    const reservation = admission.enter();
    const bytes = stopwatch.time('read', async () =>
      readBlob(container(known.request.container), step.blob, { deadline, reservation, maxBytes: maxImageBytes }),
    );
    // Whoever waits for it is told, if anybody does.
    bytes.catch(() => undefined);
    try {
      // Meanwhile the image is read.
      const other = await this.#claim(step, work);
      return other ?? (await this.#ask(step, known, { tier, bytes, reservation }, work));
    } finally {
      await Promise.allSettled([bytes]);
      reservation.leave();
      leave();
    }
  }

  /** @returns undefined if this message is the one that asks now */
  async #claim(step: ImageStep, { delivery, store }: Work): Promise<Outcome | undefined> {
    const { isOurs, isNew } = await store.claim(step);
    if (isNew) return undefined;
    if (!isOurs || (await store.hasResult(step.job, step.page, step.at))) return OVER;
    // It comes again without having been sent again: a process has ended with it in hand.
    if (!(delivery.count > 1)) return undefined;
    const seconds = Math.min(CRASH_SPREAD_SECONDS * 2 ** step.crashes, MAX_POSTPONE_SECONDS);
    return { again: { ...step, crashes: step.crashes + 1 }, seconds: Math.random() * seconds };
  }

  async #ask(
    step: ImageStep,
    { request }: KnownJob,
    { tier, bytes, reservation }: { tier: Tier; bytes: Promise<Buffer>; reservation: Reservation },
    work: Work,
  ): Promise<ImageResult | Problem> {
    const { container, question } = request;
    const { deadline, stopwatch } = work;
    // A model that does not know flex may not know this parameter either.
    const serviceTier = tier === 'flex' ? 'flex' : request.tier === 'flex' ? 'default' : undefined;
    work.facts['serviceTier'] = serviceTier;
    try {
      const caller = { deadline, stopwatch, reservation };
      const { answer, tier: given } = await this.#options.ask(await bytes, question, serviceTier, caller);
      this.#pauses.delete(tier);
      const { images, model, usage, finishReason, upstreamRequestId, data } = answer;
      Object.assign(work.facts, { images, model, usage, finishReason, upstreamRequestId, tier: given });
      const words =
        question.schema === undefined ? { answer: answer.answer || (answer.refusal ?? '') } : { data: data ?? null };
      return { blob: blobUrl({ container, name: step.blob }), ...words, usage, tier: given };
    } catch (error) {
      const problem = this.#toProblem(error, work);
      const isLast = step.tries + 1 >= MAX_TRIES;
      const isFinal = problem.status < 500 && problem.code !== 'rate_limited' && !isWithoutFlex(problem, tier);
      if (!isFinal && (isBusy(problem) || isWithoutFlex(problem, tier) || !isLast)) return problem;
      return unanswered(step, { container, tier }, problem, work);
    }
  }

  #tier({ refusedSince }: ImageStep, { tier, fallback }: KnownJob['request']): Tier {
    const waited = refusedSince === undefined ? 0 : Date.now() - refusedSince;
    return tier === 'flex' && fallback && waited >= FALLBACK_AFTER_MS ? 'standard' : tier;
  }

  /** Asks nothing more at this price for as long as the service says, or else for longer with each pause in a row. */
  #pause(tier: Tier, asked: number | undefined): void {
    const now = performance.now();
    const { until, inRow } = this.#pauses.get(tier) ?? { until: 0, inRow: 0 };
    // What was under way when a pause began is refused as well, and says nothing new.
    const isNew = now >= until;
    const own = isNew ? Math.min(POSTPONE_SECONDS * 2 ** inRow, MAX_POSTPONE_SECONDS) : 0;
    const end = now + (asked ?? own) * 1_000;
    this.#pauses.set(tier, { until: Math.max(until, end), inRow: isNew ? inRow + 1 : inRow });
  }

  /** @throws {Problem} `rate_limited` if the pause is too long to wait for */
  async #pauseOver(tier: Tier, deadline: Deadline): Promise<void> {
    const left = (this.#pauses.get(tier)?.until ?? 0) - performance.now();
    if (left <= 0) return;
    if (left > Math.min(MAX_PAUSE_MS, deadline.remaining())) {
      const headers = { 'retry-after': String(Math.ceil(left / 1_000)) };
      throw new Problem('rate_limited', 'The deployment asked for a pause, which is not over.', { headers });
    }
    await sleep(left);
  }

  /**
   * Waits for one of the places in which images are asked about.
   * @throws {Problem} `rate_limited` if the pause of this price is too long to wait for, `overloaded` if no place is free in time
   */
  async #enter(tier: Tier, deadline: Deadline): Promise<() => void> {
    await this.#pauseOver(tier, deadline);
    while (this.#asking >= this.#options.concurrency) {
      let wake: (() => void) | undefined;
      const free = new Promise<void>((resolve) => void this.#waiting.add((wake = resolve)));
      try {
        await deadline.race(free);
      } catch {
        throw new Problem('overloaded', 'The time of this message was over before it was its turn.');
      } finally {
        if (wake) this.#waiting.delete(wake);
      }
    }
    this.#asking += 1;
    return () => {
      this.#asking -= 1;
      const [next] = this.#waiting;
      if (!next) return;
      this.#waiting.delete(next);
      next();
    };
  }

  #toProblem(error: unknown, { delivery, facts }: Work): Problem {
    const problem = asProblem(error);
    if (problem.code === 'internal_error') {
      const what = JSON.stringify(describeError(error));
      delivery.log('error', `${delivery.invocationId} failed unexpectedly: ${what}`);
    }
    facts['code'] = problem.code;
    return problem;
  }

  /** One line for each message, without a word of what was asked or answered, and without names of blobs. */
  #report(step: ImageStep | PageStep, { delivery, stopwatch, facts }: Work): void {
    const { log, invocationId: requestId } = delivery;
    log('info', JSON.stringify({ requestId, ...facts, ms: stopwatch.durations() }));
    const { laps, start } = stopwatch;
    this.#options.observe?.({
      name: step.kind === 'page' ? 'listJobImages' : 'askJobImage',
      requestId,
      trace: step.traceparent ? { traceparent: step.traceparent } : {},
      status: undefined,
      streamed: false,
      facts,
      laps,
      start,
      end: stopwatch.now(),
    });
  }
}

function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem('internal_error', 'This is a fault of the service. Its log has the reason.', { cause: error });
}

function endsProcesses(count: number, during: string): Problem {
  return new Problem(
    'internal_error',
    `Each of ${count} processes ended while it ${during}. Look for the reason in the log, under the job's id.`,
  );
}

function unanswered(
  { blob: name }: ImageStep,
  { container, tier }: Pick<KnownJob['request'], 'container' | 'tier'>,
  problem: Problem,
  { delivery }: Work,
): ImageResult {
  const blob = blobUrl({ container, name });
  return { blob, problem: problemBody(problem, delivery.invocationId), usage: NO_USAGE, tier };
}

function failed(problem: Problem, { delivery }: Work): { failed: string; problem: object } {
  return { failed: new Date().toISOString(), problem: problemBody(problem, delivery.invocationId) };
}

/** What is no fault of the image's, and passes: the model's limits, flex without capacity, and this process being full. */
function isBusy({ code }: Problem): boolean {
  return code === 'rate_limited' || code === 'overloaded';
}

/** The deployment's model does not know flex, so no image of the job can be asked. */
function isWithoutFlex({ code, members }: Problem, tier: Tier): boolean {
  const { errors } = members;
  return tier === 'flex' && code === 'invalid_request' && Array.isArray(errors) && errors[0]?.field === 'tier';
}

/** Seconds after which the service wants to be asked again; undefined if it does not say. */
function retryAfter({ headers }: Problem): number | undefined {
  const asked = Number(headers['retry-after']);
  return asked > 0 ? asked : undefined;
}

function postpone(step: ImageStep, problem: Problem): Outcome {
  const own = POSTPONE_SECONDS * 2 ** Math.min(step.turn, 10);
  const asked = retryAfter(problem);
  const seconds = Math.min(asked === undefined ? own : Math.max(asked, own / 4), MAX_POSTPONE_SECONDS);
  const refusedSince = step.refusedSince ?? (problem.code === 'rate_limited' ? Date.now() : undefined);
  return { again: { ...step, turn: step.turn + 1, ...(refusedSince ? { refusedSince } : {}) }, seconds };
}

function retry(step: ImageStep | PageStep): Outcome {
  const seconds = RETRY_SECONDS * 3 ** step.tries;
  const tries = step.tries + 1;
  return { again: step.kind === 'page' ? { ...step, tries } : { ...step, tries, turn: step.turn + 1 }, seconds };
}
