import * as v from 'valibot';
import type { Usage } from '../vision/completion.ts';

/** The price at which a job asks. Flex costs half, and the service may refuse it while it has no capacity. */
export const TIERS = ['flex', 'standard'] as const;
export type Tier = (typeof TIERS)[number];

/** The request of a job: its images, and what to ask about each of them. */
export const JobRequest = v.object({
  /** The URL of the container. */
  container: v.string(),
  /** The prefix of the images' names. */
  prefix: v.string(),
  question: v.object({
    instructions: v.string(),
    detail: v.picklist(['high', 'low', 'auto', 'original']),
    maxTokens: v.number(),
    schema: v.optional(v.unknown()),
  }),
  tier: v.picklist(TIERS),
  /** Whether to ask about an image at the standard price if flex refuses it for too long. */
  fallback: v.boolean(),
  /** In ISO 8601. */
  startedAt: v.string(),
});
export type JobRequest = v.InferOutput<typeof JobRequest>;

const Step = {
  job: v.pipe(v.string(), v.uuid()),
  /** Counted from 0. */
  page: v.number(),
  /** Stays the same if the step is sent again. If a step has two messages, the key decides which one counts. */
  key: v.string(),
  /** How often this step has failed. */
  tries: v.number(),
  /** The span of the request that started the job. */
  traceparent: v.optional(v.string()),
};

/** The step that lists a page of the container. */
const PageStep = v.object({ ...Step, kind: v.literal('page') });

/** The step that asks the model about one image. */
const ImageStep = v.object({
  ...Step,
  kind: v.literal('image'),
  /** The place of the image in its page, counted from 0. */
  at: v.number(),
  /** The name of the blob. */
  blob: v.string(),
  /** How often it was postponed or retried. */
  resends: v.number(),
  /** How often its message came back without an outcome, usually because the process ended. */
  crashes: v.number(),
  /** When the service first refused the image with 429, in milliseconds since the epoch. */
  refusedSince: v.optional(v.number()),
});
export type PageStep = v.InferOutput<typeof PageStep>;
export type ImageStep = v.InferOutput<typeof ImageStep>;

/** One step of a job. */
export type JobStep = PageStep | ImageStep;

/** A message. It has a single member, because top-level members of a message overwrite the host's own data about it. */
export const JobMessage = v.object({ step: v.variant('kind', [PageStep, ImageStep]) });

/** The result of one image: a line of the results. */
export interface ImageResult {
  /** The URL of the image. */
  readonly blob: string;
  readonly answer?: string;
  readonly data?: object | null;
  readonly problem?: object;
  readonly usage: Usage;
  readonly tier: Tier;
}

/** The status of a job, as callers get it. Times are in ISO 8601. */
export interface JobStatus {
  readonly id: string;
  readonly status: 'listing' | 'running' | 'done' | 'cancelled' | 'failed';
  readonly found: number;
  readonly answered: number;
  readonly failed: number;
  readonly usage: Usage;
  readonly startedAt: string;
  readonly finishedAt: string | null;
  readonly problem?: unknown;
}
