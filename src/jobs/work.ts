import type { ContainerClient } from '@azure/storage-blob';
import type { Caller } from '../azure/model.ts';
import type { Admission, Reservation } from '../http/admission.ts';
import type { AnsweredRequest } from '../http/create-handler.ts';
import type { Deadline } from '../http/deadline.ts';
import { describeError } from '../http/describe-error.ts';
import type { InFlight } from '../http/in-flight.ts';
import { Problem } from '../http/problem.ts';
import type { Stopwatch } from '../http/stopwatch.ts';
import type { Answer } from '../vision/answer.ts';
import type { JobRequest, Tier } from './job.ts';
import type { Pauses, Places } from './places.ts';
import type { JobStore } from './store.ts';

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

/** Asks about an image that is prepared. */
export type Ask = (serviceTier: 'flex' | 'default' | undefined) => Promise<Asked>;

/** What the worker works with. */
export interface WorkerOptions {
  readonly store: (deadline: Deadline) => JobStore;
  /** @throws {Problem} `blob_not_allowed` if images may not be read from this container */
  readonly container: (url: string) => ContainerClient;
  /** Checks an image, and makes it what the model takes. */
  readonly prepare: (
    bytes: Buffer,
    question: JobRequest['question'],
    caller: Caller & { readonly reservation: Reservation },
  ) => Promise<Ask>;
  readonly admission: Admission;
  readonly inFlight: InFlight;
  readonly maxImageBytes: number;
  /** Images asked about at once. */
  readonly concurrency: number;
  readonly limits: typeof LIMITS;
  readonly observe?: ((request: AnsweredRequest) => void) | undefined;
}

/** Where the images are of all messages that this process has in hand. */
export interface Stages {
  readonly pauses: Pauses;
  /** In memory: they are read, prepared and asked about. */
  readonly inMemory: Places;
  /** Asked about. */
  readonly asked: Places;
}

/** Work on one message. */
export interface Work {
  readonly options: WorkerOptions;
  readonly stages: Stages;
  readonly delivery: Delivery;
  /** Of the answer. */
  readonly deadline: Deadline;
  /** Of everything but a message that comes again. */
  readonly end: Deadline;
  readonly store: JobStore;
  readonly stopwatch: Stopwatch;
  readonly facts: Record<string, unknown>;
}

/** Makes a problem of what was thrown. Only the log says more about what was not expected. */
export function toProblem(error: unknown, { delivery, facts }: Work): Problem {
  const problem = asProblem(error);
  if (problem.code === 'internal_error') {
    const what = JSON.stringify(describeError(error));
    delivery.log('error', `${delivery.invocationId} failed unexpectedly: ${what}`);
  }
  facts['code'] = problem.code;
  return problem;
}

function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem('internal_error', 'This is a fault of the service. Its log has the reason.', { cause: error });
}
