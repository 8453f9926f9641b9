import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Log } from '../start/log.ts';
import type { App } from './app.ts';
import { answerEmpty, forward } from './forward.ts';
import { invoke } from './invocation.ts';
import { logFrom } from './logs.ts';
import { matchRoute } from './route.ts';

/** Takes one request to its function and the answer back; a function that fails is a 500 with an empty body. */
export async function serveRequest(
  app: App,
  libraryPort: number,
  log: Log,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  const route = matchRoute(app.routes, req.method ?? '', req.url ?? '');
  if (!route) return answerEmpty(req, res, 404);

  const id = randomUUID();
  const source = `Functions.${route.name}`;
  const started = performance.now();
  res.once('close', () => {
    const outcome = res.writableFinished
      ? `answered ${res.statusCode}`
      : 'the client went away, or the answer broke off,';
    log('information', source, `${outcome} after ${Math.round(performance.now() - started)} ms`);
  });

  const giveUp = forward(req, res, libraryPort, id);
  try {
    await invoke(app.model, { id, route, headers: req.headers, log: logFrom(source, log) });
  } catch (error) {
    if (!res.destroyed) log('error', source, error instanceof Error ? (error.stack ?? error.message) : String(error));
    giveUp();
  }
}
