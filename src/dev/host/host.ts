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
/** Higher than Node's default, so that this host can answer 414 and 431 itself. */
const MAX_HEAD_BYTES = 1024 * 1024;
/** The real host's default of FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: 100 MiB. */
const MAX_BODY_BYTES = 104_857_600;

/** Options of a local host. */
export interface HostOptions {
  /** The directory of a built app: `package.json` with `main`, and `host.json`. */
  appDir: string;
  /** The port on 127.0.0.1. 0 picks a free one. */
  port: number;
  /** The largest body to accept, in bytes. The default is that of the real host: 100 MiB. */
  maxBodyBytes?: number | undefined;
  /** The key for functions that are not `anonymous`. If it is undefined, none needs a key, as with `func start`. */
  functionKey?: string | undefined;
  /** How long a queue message in progress is hidden from others, in seconds. The default is ten minutes. */
  queueVisibilitySeconds?: number | undefined;
  /** The path to which `/` redirects, if it is set. The real host shows its own page at `/`. */
  home?: string | undefined;
  /** Called before a queue is polled. Polling waits for it. */
  prepareQueue?: (name: string) => Promise<unknown>;
  /** The other origins that may read answers. By default, none. The real host has a setting for it, too. */
  cors?: Cors | undefined;
  log: Log;
}

/** A running app. */
export interface Host {
  url: string;
  port: number;
  functions: Pick<Route, 'name' | 'path' | 'methods'>[];
  /** Refuses new requests, waits up to 10 seconds for those in progress, and runs the app's `appTerminate` hooks. */
  close(): Promise<void>;
}

/**
 * Serves a built function app on 127.0.0.1 in this process, with the real `@azure/functions`. It replaces both the host
 * and the language worker, for one app per process. Clients see the behaviour of the real host 4.1037, with two
 * exceptions: there is no function timeout, and a function that throws or returns nothing gets a 500 at once.
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
