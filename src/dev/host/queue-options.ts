import { availableParallelism } from 'node:os';
import * as v from 'valibot';

/**
 * How a trigger takes messages from a queue: `extensions.queues` of host.json, with the defaults of Storage.Queues
 * 5.3.10.
 */
export interface QueueOptions {
  batchSize: number;
  newBatchThreshold: number;
  maxDequeueCount: number;
  maxPollingMs: number;
  /** How long a message is hidden after its function has thrown. */
  retryVisibilitySeconds: number;
  messageEncoding: 'base64' | 'none';
  /** How long a message in progress is hidden from others. It is renewed after half of that time. */
  visibilitySeconds: number;
}

/** The time of the real host, which has no setting for it. */
const VISIBILITY_SECONDS = 600;

/** The members of host.json, as the real host reads them. */
export const QueueSettings = v.optional(
  v.object({
    // The service returns at most 32 messages at once.
    batchSize: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(32)), 16),
    newBatchThreshold: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
    maxDequeueCount: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1)), 5),
    maxPollingInterval: v.optional(v.string(), '00:01:00'),
    visibilityTimeout: v.optional(v.string(), '00:00:00'),
    messageEncoding: v.optional(v.picklist(['base64', 'none']), 'base64'),
  }),
  {},
);

/**
 * Reads the options of an app's queue triggers.
 * @param visibilitySeconds - for tests: how long a message in progress is hidden, instead of ten minutes
 * @throws {Error} if a time in host.json is not written as `hh:mm:ss`
 */
export function queueOptions(settings: v.InferOutput<typeof QueueSettings>, visibilitySeconds?: number): QueueOptions {
  const { batchSize, newBatchThreshold, maxDequeueCount, messageEncoding } = settings;
  return {
    batchSize,
    newBatchThreshold: newBatchThreshold ?? (batchSize / 2) * availableParallelism(),
    maxDequeueCount,
    messageEncoding,
    maxPollingMs: seconds(settings.maxPollingInterval) * 1_000,
    retryVisibilitySeconds: seconds(settings.visibilityTimeout),
    visibilitySeconds: visibilitySeconds ?? VISIBILITY_SECONDS,
  };
}

/** Returns the seconds of a .NET time span, `hh:mm:ss`. */
function seconds(span: string): number {
  const [, hours, minutes, rest] = /^(\d{1,2}):(\d{2}):(\d{2}(?:\.\d+)?)$/.exec(span) ?? [];
  if (rest === undefined) throw new Error(`host.json: '${span}' must be a time as hh:mm:ss.`);
  return Number(hours) * 3_600 + Number(minutes) * 60 + Number(rest);
}
