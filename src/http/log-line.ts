import type { InvocationContext } from '@azure/functions';
import type { Exchange } from './front-door.ts';

/**
 * Logs the one line that there is about a request: ids, sizes, durations and an outcome, and never content.
 * @param streamed - whether its answer was made while it was sent. By its end the invocation is over, and the platform adds
 * a warning to each line that comes through the context of one; what is printed is logged as well.
 */
export function logLine(status: number, { requestId, facts, stopwatch }: Exchange, context: InvocationContext, streamed: boolean): void {
  const line = JSON.stringify({ requestId, status, ...facts, ms: stopwatch.durations() });
  if (streamed) console.log(line);
  else context.log(line);
}
