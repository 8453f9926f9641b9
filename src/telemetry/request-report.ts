import type { InvocationContext } from '@azure/functions';
import type { RequestContext } from '../http/create-handler.ts';
import type { Reply } from '../http/reply.ts';
import type { Lap } from '../http/stopwatch.ts';

/** What is known of a request when it is over; never content. Times are milliseconds since the epoch. */
export interface RequestReport {
  readonly functionName: string;
  readonly requestId: string;
  /** Of the host's span, as W3C Trace Context writes it. */
  readonly traceContext: { readonly traceparent?: string; readonly tracestate?: string };
  readonly status: number;
  /** Whether the answer was made while it was sent. */
  readonly streamed: boolean;
  /** Those of the log line. */
  readonly facts: Readonly<Record<string, unknown>>;
  readonly laps: readonly Lap[];
  readonly start: number;
  readonly end: number;
}

/** Takes what is needed of a request that is over, and holds on to none of the rest. */
export function reportOf(
  { requestId, facts, stopwatch }: RequestContext,
  { functionName, traceContext }: InvocationContext,
  { status, body }: Reply,
): RequestReport {
  const { traceParent, traceState } = traceContext ?? {};
  return {
    functionName,
    requestId,
    traceContext: {
      ...(traceParent ? { traceparent: traceParent } : {}),
      ...(traceState ? { tracestate: traceState } : {}),
    },
    status,
    streamed: typeof body !== 'string',
    facts,
    laps: stopwatch.laps,
    start: stopwatch.start,
    end: stopwatch.now(),
  };
}
