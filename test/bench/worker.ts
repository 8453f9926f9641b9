import { type IncomingMessage, Server } from 'node:http';
import { loadApp } from '../../src/dev/host/app.ts';
import { invoke } from '../../src/dev/host/invocation.ts';
import { onLoopback } from '../../src/dev/host/library-server.ts';
import { runHooks } from '../../src/dev/host/registry.ts';
import { matchRoute } from '../../src/dev/host/route.ts';

/** A loaded app whose HTTP server is open. */
export interface Worker {
  readonly port: number;
  /** When its functions were registered, in milliseconds of `performance.now()`. */
  readonly registeredAt: number;
}

/**
 * Serves an app as the language worker does in Azure: the caller's request comes to the library's own HTTP server. The
 * host that forwards it there is a process of its own in Azure and no part of what an app costs, so it is left out here.
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

  // Ahead of the library, which waits for a call of the host that says what the request is for.
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
