import * as v from 'valibot';
import { retryAfterMs } from '../azure/retry.ts';
import { Problem } from '../http/problem.ts';
import { problemBody } from '../http/problem-response.ts';
import { blobUrl } from '../storage/blob-url.ts';
import { NO_USAGE, Usage } from '../vision/completion.ts';
import type { ImageResult, ImageStep, JobRequest, JobStep } from './job.ts';
import { FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS } from './places.ts';
import type { Work } from './work.ts';

/** How often a step is tried before its failure is its result. */
export const MAX_TRIES = 5;
/** Seconds before the second try, three times as long before each further one: 10, 30, 90, 270. */
const RETRY_SECONDS = 10;
/** Seconds before a step whose storage failed comes again, as often as it takes. */
const STORAGE_SECONDS = 30;
/** After so many deliveries a message is sent anew. The host gives it up after twice as many (maxDequeueCount in host.json). */
export const MAX_DELIVERIES = 5;

/** The problems that say nothing about the step itself: jobs cannot be read or written. */
const STORAGE_PROBLEMS: ReadonlySet<string> = new Set([
  'storage_error',
  'storage_access_denied',
  'identity_unavailable',
]);

/** What a step leads to: it is over, or it comes again after so many seconds. */
export type Outcome = { readonly isOver: true } | { readonly again: JobStep; readonly seconds: number };

export const OVER: Outcome = { isOver: true };

/** A try has failed. */
export function retry(step: JobStep): Outcome {
  const seconds = RETRY_SECONDS * 3 ** step.tries;
  const tries = step.tries + 1;
  return { again: step.kind === 'page' ? { ...step, tries } : { ...step, tries, turn: step.turn + 1 }, seconds };
}

/** The service or this process has no time for an image now. That is no try. */
export function postpone(step: ImageStep, problem: Problem): Outcome {
  const own = FIRST_PAUSE_SECONDS * 2 ** Math.min(step.turn, 10);
  const asked = retryAfter(problem);
  const seconds = Math.min(asked === undefined ? own : Math.max(asked, own / 4), MAX_PAUSE_SECONDS);
  const refusedSince = step.refusedSince ?? (problem.code === 'rate_limited' ? Date.now() : undefined);
  return { again: { ...step, turn: step.turn + 1, ...(refusedSince ? { refusedSince } : {}) }, seconds };
}

/** @returns undefined unless it is the storage of jobs that failed, which is waited for without end */
export function awaitStorage(step: JobStep, { code }: Problem): Outcome | undefined {
  return STORAGE_PROBLEMS.has(code) ? { again: step, seconds: STORAGE_SECONDS } : undefined;
}

/** Seconds after which the service wants to be asked again; undefined if it does not say. */
export function retryAfter({ headers }: Problem): number | undefined {
  const asked = retryAfterMs(new Headers(headers)) ?? 0;
  return asked > 0 ? asked / 1_000 : undefined;
}

/** A message has come back without an outcome too often. */
export function notFinished(what: 'image' | 'page', times: number): Problem {
  return new Problem(
    'internal_error',
    `This ${what} was not finished ${times} times: its message came back each time without a result. ` +
      "The usual reason is that the process ended. Look for it in the log, under the job's id.",
  );
}

/** The result of an image that has no answer. */
export function unanswered(
  { blob: name }: ImageStep,
  { container, tier }: Pick<JobRequest, 'container' | 'tier'>,
  problem: Problem,
  { delivery }: Work,
): ImageResult {
  const blob = blobUrl({ container, name });
  // An answer that is cut off is paid for, too.
  const { usage } = problem.members;
  return {
    blob,
    problem: problemBody(problem, delivery.invocationId),
    usage: v.is(Usage, usage) ? usage : NO_USAGE,
    tier,
  };
}

/** The end of a job that cannot go on. */
export function failed(problem: Problem, { delivery }: Work): { failed: string; problem: object } {
  return { failed: new Date().toISOString(), problem: problemBody(problem, delivery.invocationId) };
}
