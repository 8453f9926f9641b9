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
 * The time limits of a message: to get an answer, including the wait for a place; then to write the result; then to
 * send the message again. Their sum must be below the functionTimeout in host.json, which restarts the worker and
 * interrupts everything in progress.
 */
export const LIMITS = { answerMs: 8 * 60_000, keepMs: 30_000, sendMs: 30_000 };

/** A message from the queue. */
export interface Delivery {
  readonly message: unknown;
  /** How often the message was delivered, including this time. */
  readonly count: number;
  readonly invocationId: string;
  readonly log: (level: 'info' | 'error', line: string) => void;
}

/** An answer, and the price that the service charged. */
export interface PricedAnswer {
  readonly answer: Answer;
  readonly tier: Tier;
}

/** Asks the model about an image that is prepared. */
export type Ask = (serviceTier: 'flex' | 'default' | undefined) => Promise<PricedAnswer>;

/** The parts of the app that the worker uses. */
export interface WorkerOptions {
  readonly store: (deadline: Deadline) => JobStore;
  /**
   * Opens a container.
   * @throws {Problem} `blob_not_allowed` if images may not be read from it
   */
  readonly container: (url: string) => ContainerClient;
  /** Checks an image, and converts it for the model. */
  readonly prepare: (
    bytes: Buffer,
    question: JobRequest['question'],
    caller: Caller & { readonly reservation: Reservation },
  ) => Promise<Ask>;
  readonly admission: Admission;
  readonly inFlight: InFlight;
  readonly maxImageBytes: number;
  /** How many images the model is asked about at the same time. */
  readonly concurrency: number;
  readonly limits: typeof LIMITS;
  readonly observe?: ((request: AnsweredRequest) => void) | undefined;
}

/** The stages of all messages this process is working on. */
export interface Stages {
  readonly pauses: Pauses;
  /** Images in memory: they are being read, prepared or asked about. */
  readonly inMemory: Places;
  /** Images that the model is being asked about. */
  readonly asked: Places;
}

/** The work on one message. */
export interface Work {
  readonly options: WorkerOptions;
  readonly stages: Stages;
  readonly delivery: Delivery;
  /** The deadline of the answer. */
  readonly deadline: Deadline;
  /** The deadline of everything except sending the message again. */
  readonly end: Deadline;
  readonly store: JobStore;
  readonly stopwatch: Stopwatch;
  readonly facts: Record<string, unknown>;
}

/** Turns whatever was thrown into a problem. An unexpected error is described only in the log. */
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
  return new Problem('internal_error', 'The service has a fault. Its log has the reason.', { cause: error });
}
