import * as v from 'valibot';
import { retryAfterMs } from '../azure/retry.ts';
import { Problem } from '../http/problem.ts';
import { problemBody } from '../http/problem-response.ts';
import { blobUrl } from '../storage/blob-url.ts';
import { NO_USAGE, Usage } from '../vision/completion.ts';
import type { ImageResult, ImageStep, JobRequest, JobStep } from './job.ts';
import { FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS } from './places.ts';
import type { Work } from './work.ts';

/** How often a step is tried before its failure becomes its result. */
export const MAX_TRIES = 5;
/** The pause before the second try. It triples for each further one: 10, 30, 90, 270 seconds. */
const RETRY_SECONDS = 10;
/** The pause before a step is tried again if the storage of jobs has failed. There is no limit of these tries. */
const STORAGE_SECONDS = 30;
/**
 * After this many deliveries, a message is replaced with a new one. The host gives a message up after twice as many
 * (maxDequeueCount in host.json).
 */
export const MAX_DELIVERIES = 5;

/** Problems of the storage of jobs, which are not the fault of a step. */
const STORAGE_PROBLEMS: ReadonlySet<string> = new Set([
  'storage_error',
  'storage_access_denied',
  'identity_unavailable',
]);

/** What follows from a step: nothing more, or another message after this many seconds. */
export type Outcome = { readonly isOver: true } | { readonly again: JobStep; readonly seconds: number };

/** Nothing more follows from the step. */
export const FINISHED: Outcome = { isOver: true };

/** Sends a failed step again, after a pause that grows with each try. */
export function retry(step: JobStep): Outcome {
  const seconds = RETRY_SECONDS * 3 ** step.tries;
  const tries = step.tries + 1;
  return { again: step.kind === 'page' ? { ...step, tries } : { ...step, tries, resends: step.resends + 1 }, seconds };
}

/** Postpones an image because the service or this process has no capacity now. This does not count as a try. */
export function postpone(step: ImageStep, problem: Problem): Outcome {
  const own = FIRST_PAUSE_SECONDS * 2 ** Math.min(step.resends, 10);
  const asked = retryAfter(problem);
  const seconds = Math.min(asked === undefined ? own : Math.max(asked, own / 4), MAX_PAUSE_SECONDS);
  const refusedSince = step.refusedSince ?? (problem.code === 'rate_limited' ? Date.now() : undefined);
  return { again: { ...step, resends: step.resends + 1, ...(refusedSince ? { refusedSince } : {}) }, seconds };
}

/** Sends a step again if the storage of jobs has failed, without a limit. Returns undefined for all other problems. */
export function awaitStorage(step: JobStep, { code }: Problem): Outcome | undefined {
  return STORAGE_PROBLEMS.has(code) ? { again: step, seconds: STORAGE_SECONDS } : undefined;
}

/** Reads the seconds that the service wants the app to wait. Returns undefined if it does not say. */
export function retryAfter({ headers }: Problem): number | undefined {
  const asked = retryAfterMs(new Headers(headers)) ?? 0;
  return asked > 0 ? asked / 1_000 : undefined;
}

/** Makes the problem of a step whose message came back too often without an outcome. */
export function notFinished(what: 'image' | 'page', times: number): Problem {
  return new Problem(
    'internal_error',
    `The service has started work on this ${what} ${times} times and never finished it. ` +
      'Usually, the process ended each time. Search its log for the id of the job.',
  );
}

/** Makes the result of an image that has no answer. */
export function unanswered(
  { blob: name }: ImageStep,
  { container, tier }: Pick<JobRequest, 'container' | 'tier'>,
  problem: Problem,
  { delivery }: Work,
): ImageResult {
  const blob = blobUrl({ container, name });
  // An answer that is cut off or filtered has a usage, because it is paid for.
  const { usage } = problem.members;
  return {
    blob,
    problem: problemBody(problem, delivery.invocationId),
    usage: v.is(Usage, usage) ? usage : NO_USAGE,
    tier,
  };
}

/**
 * Makes the problem of a job that has found no image. A folder may be empty on purpose, so the job is done and has not
 * failed. But usually, its source is misspelt.
 */
export function noImages({ prefix }: Pick<JobRequest, 'prefix'>, { delivery }: Work): object {
  const detail =
    prefix === ''
      ? 'The container in source is empty.'
      : 'The container has no blob whose name begins with the prefix in source. Compare both letter by letter: upper ' +
        'and lower case differ.';
  return problemBody(new Problem('blob_not_found', detail), delivery.invocationId);
}

/** Makes the end of a job that has failed. */
export function failed(problem: Problem, { delivery }: Work): { failed: string; problem: object } {
  return { failed: new Date().toISOString(), problem: problemBody(problem, delivery.invocationId) };
}
