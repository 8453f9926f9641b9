import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Cors } from '../../http/cors.ts';
import type { Log } from '../start/log.ts';
import { hasKey, refuseHead } from './admit.ts';
import type { App } from './app.ts';
import { answerEmpty, forward, tooLarge } from './forward.ts';
import { invoke } from './invocation.ts';
import { logFrom } from './logs.ts';
import { matchRoute } from './route.ts';

/** What all requests share. */
export interface Serving {
  app: App;
  /** The port of the library's HTTP server. */
  libraryPort: number;
  /** The largest body to accept, in bytes. */
  maxBodyBytes: number;
  /** The key for functions that are not `anonymous`. If it is undefined, none needs a key. */
  functionKey: string | undefined;
  /** The path to which `/` redirects, if it is set. */
  home: string | undefined;
  cors: Cors;
  log: Log;
}

/**
 * Passes one request to its function, and the answer back. Like the real host, it answers with a status and no body if
 * it refuses the request itself, or if the function fails.
 */
export async function serveRequest(
  { app, libraryPort, maxBodyBytes, functionKey, home, cors, log }: Serving,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  const { headers: corsHeaders, isPreflight } = cors(req);
  for (const [name, value] of Object.entries(corsHeaders)) res.setHeader(name, value);
  if (isPreflight) return answerEmpty(req, res, 204);
  const refused = refuseHead(req);
  if (refused) return answerEmpty(req, res, refused);
  if (home !== undefined && req.method === 'GET' && req.url === '/') {
    res.setHeader('location', home);
    return answerEmpty(req, res, 302);
  }
  const match = matchRoute(app.routes, req.method ?? '', req.url ?? '');
  if (!match) return answerEmpty(req, res, 404);
  const { route, params } = match;
  if (functionKey !== undefined && !hasKey(route, req, functionKey)) return answerEmpty(req, res, 401);

  const invocationId = randomUUID();
  const source = `Functions.${route.name}`;
  const started = performance.now();
  res.once('close', () => {
    const outcome = res.writableFinished
      ? `answered ${res.statusCode}`
      : 'the client disconnected, or the answer broke off,';
    log('information', source, `${outcome} after ${Math.round(performance.now() - started)} ms`);
  });

  if (Number(req.headers['content-length'] ?? 0) > maxBodyBytes) {
    log('error', source, tooLarge(maxBodyBytes));
    return answerEmpty(req, res, 500);
  }
  if (req.headers.expect) res.writeContinue();
  const onRefused = (reason: string): void => log('error', source, reason);
  const giveUp = forward(req, res, { port: libraryPort, invocationId, maxBodyBytes, onRefused });
  try {
    const { url = '', headers } = req;
    await invoke(app.model, { id: invocationId, route, params, url, headers, log: logFrom(source, log) });
  } catch (error) {
    if (!res.destroyed) log('error', source, error instanceof Error ? (error.stack ?? error.message) : String(error));
    giveUp();
  }
}
