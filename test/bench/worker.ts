import { type IncomingMessage, Server } from 'node:http';
import { loadApp } from '../../src/dev/host/app.ts';
import { invoke } from '../../src/dev/host/invocation.ts';
import { onLoopback } from '../../src/dev/host/library-server.ts';
import { runHooks } from '../../src/dev/host/registry.ts';
import { matchRoute } from '../../src/dev/host/route.ts';

/** A loaded app whose HTTP server is open. */
export interface Worker {
  readonly port: number;
  /** When its functions were registered: a value of `performance.now()`, in milliseconds. */
  readonly registeredAt: number;
}

/**
 * Serves an app as the language worker does in Azure: requests arrive at the HTTP server of `@azure/functions`. In
 * Azure, the Functions host forwards them there. It is left out here, because it is a separate process, and its costs
 * are not those of the app.
 */
export async function startWorker(appDir: string): Promise<Worker> {
  const { model, routes } = await loadApp(appDir);
  const registeredAt = performance.now();
  await runHooks('appStart', { hookData: {} });
  const { servers } = await onLoopback(() => model.getCapabilities({}));
  const [server] = servers;
  const address = server?.address();
  if (!(server instanceof Server) || typeof address !== 'object' || !address)
    throw new Error(`The app in ${appDir} opened no HTTP server.`);

  // The library answers a request only if the host has invoked a function with the same id. This listener runs before
  // the library's, and makes that invocation.
  server.prependListener('request', (req: IncomingMessage) => {
    const { url = '', method = '', headers } = req;
    const match = matchRoute(routes, method, url);
    const id = headers['x-ms-invocation-id'];
    if (!match || typeof id !== 'string') return void req.destroy();
    invoke(model, { id, ...match, url, headers, log: () => {} }).catch((error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      req.destroy();
    });
  });
  return { port: address.port, registeredAt };
}
