import * as v from 'valibot';
import type { Usage } from '../vision/completion.ts';

/** At what price a job asks: flex costs half, and may be refused while there is no capacity. */
export const TIERS = ['flex', 'standard'] as const;
export type Tier = (typeof TIERS)[number];

/** What a job asks about each of its images. */
export const JobRequest = v.object({
  /** The URL of a container, and of what the names of its images begin with. */
  container: v.string(),
  prefix: v.string(),
  question: v.object({
    instructions: v.string(),
    detail: v.picklist(['high', 'low', 'auto', 'original']),
    maxTokens: v.number(),
    schema: v.optional(v.unknown()),
  }),
  tier: v.picklist(TIERS),
  /** Whether an image that flex keeps refusing is asked at the standard price. */
  fallback: v.boolean(),
  startedAt: v.string(),
});
export type JobRequest = v.InferOutput<typeof JobRequest>;

const Step = {
  job: v.pipe(v.string(), v.uuid()),
  /** Counted from 0. */
  page: v.number(),
  /** Kept when it comes again. Of two messages about one step, it tells which of them does it. */
  key: v.string(),
  /** How often this step has failed. */
  tries: v.number(),
  /** The span that the job was asked for in. */
  traceparent: v.optional(v.string()),
};

/** Lists a page of the container. */
const PageStep = v.object({ ...Step, kind: v.literal('page') });

/** Asks the model about one image. */
const ImageStep = v.object({
  ...Step,
  kind: v.literal('image'),
  /** Which of its page, counted from 0. */
  at: v.number(),
  blob: v.string(),
  /** How often it was put off. */
  turn: v.number(),
  /** How often its message came back without an outcome, mostly because the process ended. */
  crashes: v.number(),
  /** When the service refused it first, in milliseconds since the epoch. */
  refusedSince: v.optional(v.number()),
});
export type PageStep = v.InferOutput<typeof PageStep>;
export type ImageStep = v.InferOutput<typeof ImageStep>;

/** One step of a job. */
export type JobStep = PageStep | ImageStep;

/** A message: one member, because the host takes top-level members of a message for what it knows of it itself. */
export const JobMessage = v.object({ step: v.variant('kind', [PageStep, ImageStep]) });

/** What became of one image: a line of the results. */
export interface ImageResult {
  /** Its URL. */
  readonly blob: string;
  readonly answer?: string;
  readonly data?: object | null;
  readonly problem?: object;
  readonly usage: Usage;
  readonly tier: Tier;
}

/** How a job is, as its callers see it. */
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
