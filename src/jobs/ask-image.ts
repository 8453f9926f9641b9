import { setTimeout as sleep } from 'node:timers/promises';
import type { Problem } from '../http/problem.ts';
import { blobUrl } from '../storage/blob-url.ts';
import { readBlob } from '../storage/read-blob.ts';
import type { ImageResult, ImageStep, JobRequest, Tier } from './job.ts';
import {
  failed,
  MAX_DELIVERIES,
  MAX_TRIES,
  notFinished,
  type Outcome,
  FINISHED,
  postpone,
  retry,
  retryAfter,
  unanswered,
} from './outcome.ts';
import { MAX_PAUSE_SECONDS, type Places } from './places.ts';
import { toProblem, type Work } from './work.ts';

/** How long flex may refuse an image until a job with `fallback` asks about it at the standard price. */
const FALLBACK_AFTER_MS = 10 * 60_000;
/** The pause before another attempt to write a result. */
const KEEP_AGAIN_MS = 5_000;
/** After this many crashes, an image is not asked about again. */
const MAX_CRASHES = 10;
/**
 * After a crash, the images that the process was working on come back spread over this many seconds, doubled for each
 * further crash. One of them may have caused it. Without the spread, it would crash the process together with the same
 * images each time.
 */
const CRASH_SPREAD_SECONDS = 5;

/** Asks about an image when a place is free, and writes the result. */
export async function askAboutImage(step: ImageStep, request: JobRequest, work: Work): Promise<Outcome> {
  // Processes have ended while the message waited for its turn. That is not the image's fault, so it is not a crash.
  if (work.delivery.count >= MAX_DELIVERIES) return { again: step, seconds: Math.random() * CRASH_SPREAD_SECONDS };
  const asked =
    step.crashes >= MAX_CRASHES
      ? unanswered(step, request, notFinished('image', MAX_CRASHES), work)
      : await askInMemory(step, request, work);
  if ('isOver' in asked || 'again' in asked) return asked;
  await keep(step, asked, work);
  return FINISHED;
}

/**
 * Writes a result. The answer is paid for, so this retries until the message runs out of time.
 * @throws {Problem} the problem of storage, when there is no more time
 */
export async function keep(
  { job, page, at }: ImageStep,
  result: ImageResult,
  { end, facts, store }: Work,
): Promise<void> {
  facts['outcome'] = result.problem ? 'failed' : 'answered';
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

async function askInMemory(step: ImageStep, request: JobRequest, work: Work): Promise<ImageResult | Outcome> {
  const tier = tierOf(step, request);
  return inPlace(
    work.stages.inMemory,
    step,
    tier,
    work,
    async () => (await claim(step, work)) ?? (await ask(step, request, tier, work)),
  );
}

/** Runs a part of the work when there is a place for it. */
async function inPlace<T>(
  places: Places,
  step: ImageStep,
  tier: Tier,
  work: Work,
  part: () => Promise<T>,
): Promise<T | Outcome> {
  let entry;
  try {
    entry = await places.enter(tier, work.deadline);
  } catch (error) {
    return postpone(step, toProblem(error, work));
  }
  // The service has not refused this image itself, so its counters stay the same.
  if ('pausedFor' in entry) return { again: step, seconds: Math.min(entry.pausedFor, MAX_PAUSE_SECONDS) };
  try {
    return await part();
  } finally {
    entry.leave();
  }
}

function tierOf({ refusedSince }: ImageStep, { tier, fallback }: JobRequest): Tier {
  const waited = refusedSince === undefined ? 0 : Date.now() - refusedSince;
  return tier === 'flex' && fallback && waited >= FALLBACK_AFTER_MS ? 'standard' : tier;
}

/**
 * Claims the image for this message.
 * @returns undefined if this message should ask now; otherwise what to do with it
 */
async function claim(step: ImageStep, { delivery, store }: Work): Promise<Outcome | undefined> {
  const { isOurs, isNew } = await store.claim(step);
  if (isNew) return undefined;
  if (!isOurs || (await store.hasResult(step.job, step.page, step.at))) return FINISHED;
  // The queue has delivered the same message again: most likely, the process ended while it worked on the image.
  if (!(delivery.count > 1)) return undefined;
  const seconds = Math.min(CRASH_SPREAD_SECONDS * 2 ** step.crashes, MAX_PAUSE_SECONDS);
  return { again: { ...step, crashes: step.crashes + 1 }, seconds: Math.random() * seconds };
}

async function ask(step: ImageStep, request: JobRequest, tier: Tier, work: Work): Promise<ImageResult | Outcome> {
  const { container, question } = request;
  const { options, stages, deadline, stopwatch, facts } = work;
  const reservation = options.admission.enter();
  // A model that does not support flex may not support this parameter, so a standard job never sends it.
  const serviceTier = tier === 'flex' ? 'flex' : request.tier === 'flex' ? 'default' : undefined;
  facts['serviceTier'] = serviceTier;
  try {
    const bytes = await stopwatch.time('read', async () => {
      const limits = { deadline, reservation, maxBytes: options.maxImageBytes };
      return readBlob(options.container(container), step.blob, limits);
    });
    const caller = { deadline, stopwatch, reservation };
    const askPrepared = await options.prepare(bytes, question, caller);
    const asked = await inPlace(stages.asked, step, tier, work, async () => askPrepared(serviceTier));
    if (!('answer' in asked)) return asked;
    const { answer, tier: given } = asked;
    stages.pauses.succeed(tier);
    const { images, model, usage, finishReason, upstreamRequestId, data } = answer;
    Object.assign(facts, { images, model, usage, finishReason, upstreamRequestId, tier: given });
    const words =
      question.schema === undefined ? { answer: answer.answer || (answer.refusal ?? '') } : { data: data ?? null };
    return { blob: blobUrl({ container, name: step.blob }), ...words, usage, tier: given };
  } catch (error) {
    return afterRefusal(step, { ...request, tier }, toProblem(error, work), work);
  } finally {
    reservation.leave();
  }
}

async function afterRefusal(
  step: ImageStep,
  { container, tier }: Pick<JobRequest, 'container' | 'tier'>,
  problem: Problem,
  work: Work,
): Promise<ImageResult | Outcome> {
  if (problem.code === 'rate_limited') work.stages.pauses.pause(tier, retryAfter(problem));
  if (refusesFlex(problem, tier)) {
    await work.store.end(step.job, failed(problem, work));
    return FINISHED;
  }
  if (problem.code === 'rate_limited' || problem.code === 'overloaded') return postpone(step, problem);
  // A status below 500 is a fault of the image itself, and a retry does not help.
  if (problem.status >= 500 && step.tries + 1 < MAX_TRIES) return retry(step);
  return unanswered(step, { container, tier }, problem, work);
}

/** Whether the deployment's model does not support flex, so that the whole job must fail. */
function refusesFlex({ code, members }: Problem, tier: Tier): boolean {
  const { errors } = members;
  return tier === 'flex' && code === 'invalid_request' && Array.isArray(errors) && errors[0]?.field === 'tier';
}
