import { app as functions, type HttpHandler } from '@azure/functions';
import type { App } from '../app.ts';
import type { Handler } from '../http/create-handler.ts';
import type { IncomingRequest } from '../http/incoming-request.ts';
import { toIncomingRequest } from './incoming-request.ts';
import { takeLargeHeaders } from './large-headers.ts';

/** Time to finish the requests in progress. The host kills a worker 5 s after it asks it to terminate. */
const TERMINATE_MS = 4_500;
/** Time to send the last telemetry. It is cut short by the host if the requests have used up theirs. */
const LAST_TELEMETRY_MS = 2_000;

/** The prefix of the settings with which the host connects to the account of jobs, such as `JobsStorage__accountName`. */
const JOBS_CONNECTION = 'JobsStorage';

/** Registers an app's routes with the Functions host, and the queue trigger if this process works on jobs. */
export function register({ routes, authLevel, jobs, end }: App): void {
  takeLargeHeaders();
  functions.setup({ enableHttpStream: true });
  functions.hook.appTerminate(async () => end(TERMINATE_MS, LAST_TELEMETRY_MS));
  for (const { route, handler } of routes) {
    const { name, methods, path, isPublic } = route;
    functions.http(name, {
      methods: [...methods],
      authLevel: isPublic || authLevel === 'anonymous' ? 'anonymous' : 'function',
      route: path,
      handler: toHttpHandler(handler),
    });
  }
  if (jobs) {
    functions.storageQueue('jobs', {
      queueName: jobs.queue,
      connection: JOBS_CONNECTION,
      handler: async (message, invocation) => {
        const { invocationId, triggerMetadata } = invocation;
        const log = logTo(invocation);
        await jobs.work({ message, count: Number(triggerMetadata?.['dequeueCount'] ?? 1), invocationId, log });
      },
    });
  }
}

/** Adapts a handler. It must never throw: in stream mode, the caller would then wait until the host gives up. */
function toHttpHandler(handler: Handler): HttpHandler {
  return async (request, invocation) => {
    let isOver = false;
    // The platform adds a warning to each line that is logged through an invocation that is over.
    const log: IncomingRequest['log'] = (level, line) => logTo(isOver ? console : invocation)(level, line);
    const response = await handler(toIncomingRequest(request, invocation, log));
    isOver = true;
    return { ...response };
  };
}

function logTo(to: Pick<Console, 'log' | 'error'>): IncomingRequest['log'] {
  return (level, line) => {
    if (level === 'error') to.error(line);
    else to.log(line);
  };
}
