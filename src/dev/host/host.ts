import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { listen } from '../start/listen.ts';
import { type Cors, createCors } from '../../http/cors.ts';
import type { Log } from '../start/log.ts';
import { loadApp } from './app.ts';
import { openLibraryServer } from './library-server.ts';
import { logFrom } from './logs.ts';
import { queueOptions } from './queue-options.ts';
import { registry, runHooks } from './registry.ts';
import type { Route } from './route.ts';
import { serveRequest } from './serve-request.ts';

const DRAIN_MS = 10_000;
const KEEP_ALIVE_MS = 75_000;
/** Above what Node takes by default, so that this host can tell 414 from 431 itself. */
const MAX_HEAD_BYTES = 1024 * 1024;
/** The real host's limit unless FUNCTIONS_REQUEST_BODY_SIZE_LIMIT says otherwise. */
const MAX_BODY_BYTES = 104_857_600;

/** What a local host needs to know. */
export interface HostOptions {
  /** The directory of a built app: `package.json` with `main`, and `host.json`. */
  appDir: string;
  /** The port on 127.0.0.1; 0 picks a free one. */
  port: number;
  /** The largest body that is taken, in bytes; 100 MiB unless it is set, as in the real host. */
  maxBodyBytes?: number | undefined;
  /** The key that functions above the level `anonymous` ask for; undefined: none does, as in `func start`. */
  functionKey?: string | undefined;
  /** For how long a queue message in hand is hidden from others, in seconds; ten minutes unless it is set. */
  queueVisibilitySeconds?: number | undefined;
  /** Where a browser that asks for `/` is sent; nowhere unless it is set. The real host shows a page of its own there. */
  home?: string | undefined;
  /** Is awaited before a queue is polled. */
  prepareQueue?: (name: string) => Promise<unknown>;
  /** Which other origins may read answers; none unless it is set. The real host has a setting for it, too. */
  cors?: Cors | undefined;
  log: Log;
}

/** A running app. */
export interface Host {
  url: string;
  port: number;
  functions: Pick<Route, 'name' | 'path' | 'methods'>[];
  /** Takes no new request, gives those in hand some seconds, and runs the app's `appTerminate` hooks. */
  close(): Promise<void>;
}

/**
 * Serves a built function app on 127.0.0.1, in this process, through the real `@azure/functions`. It plays host and
 * language worker in one, for one app per process. Towards clients it behaves as the real host 4.1037 does, except that
 * there is no function timeout, and that a function which throws or returns nothing is a 500 at once.
 *
 * @example
 * const host = await startHost({ appDir: 'dist', port: 0, log: logToStdout });
 * await fetch(`${host.url}/api/health`);
 * await host.close();
 */
export async function startHost({
  appDir,
  port,
  maxBodyBytes = MAX_BODY_BYTES,
  functionKey,
  queueVisibilitySeconds,
  home,
  prepareQueue = async () => {},
  cors = createCors(undefined),
  log,
}: HostOptions): Promise<Host> {
  registry.log = logFrom('App', log);
  const app = await loadApp(resolve(appDir));
  const appData = {};
  await runHooks('appStart', { hookData: appData });
  const library = await openLibraryServer(app.model);

  const inFlight = new Set<ServerResponse>();
  const serving = { app, libraryPort: library.port, maxBodyBytes, functionKey, home, cors, log };
  const serve = (req: IncomingMessage, res: ServerResponse): void => {
    inFlight.add(res);
    res.once('close', () => inFlight.delete(res));
    void serveRequest(serving, req, res);
  };
  const options = { requestTimeout: 0, keepAliveTimeout: KEEP_ALIVE_MS, maxHeaderSize: MAX_HEAD_BYTES };
  const server = createServer(options, serve).on('checkContinue', serve);
  const listening = await listen(server, port);
  const triggers =
    app.queues.length > 0
      ? (await import('./queues.ts')).startQueueTriggers(
          app,
          { ...queueOptions(app.queueSettings, queueVisibilitySeconds), prepareQueue, log },
          process.env,
        )
      : [];

  return {
    url: `http://127.0.0.1:${listening}`,
    port: listening,
    functions: app.routes,
    async close() {
      server.close();
      server.closeIdleConnections();
      await Promise.race([
        Promise.all([
          ...[...inFlight].map((res) => new Promise((done) => res.once('close', done))),
          ...triggers.map(async (trigger) => trigger.close()),
        ]),
        sleep(DRAIN_MS, undefined, { ref: false }),
      ]);
      server.closeAllConnections();
      await runHooks('appTerminate', { hookData: appData });
      library.close();
    },
  };
}
