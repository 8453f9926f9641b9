import { app as functions, type HttpHandler } from '@azure/functions';
import type { App } from '../app.ts';
import type { Handler } from '../http/create-handler.ts';
import type { IncomingRequest } from '../http/incoming-request.ts';
import { toIncomingRequest } from './incoming-request.ts';
import { takeLargeHeaders } from './large-headers.ts';

/** The host ends a worker 5 s after it asks it to terminate. */
const TERMINATE_MS = 4_500;
/** The share of that time that sending the last telemetry may take. */
const LAST_TELEMETRY_MS = 2_000;

/** The settings of the connection to the account of jobs begin with this: `JobsStorage__accountName` and so on. */
const JOBS_CONNECTION = 'JobsStorage';

/** Registers an app's routes with the Functions host. */
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

/** In stream mode a handler that throws leaves its caller waiting until the host gives up; an app's handlers never do. */
function toHttpHandler(handler: Handler): HttpHandler {
  return async (request, invocation) => {
    let isOver = false;
    // Once the invocation is over, the platform adds a warning to each line that comes through it.
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
