import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Server as NetServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { App } from '../app.ts';
import type { Cors } from '../http/cors.ts';
import { toIncomingRequest } from './incoming-request.ts';
import { refuse } from './refuse.ts';
import { createRouter } from './router.ts';
import type { ServerSettings } from './settings.ts';
import { writeResponse } from './write-response.ts';

/** The head of a request must have arrived within this, in milliseconds. */
const HEAD_TIMEOUT_MS = 30_000;
/** How often that is checked, in milliseconds. Node's own 30 s would let a head take a minute. */
const CHECK_MS = 1_000;
/** Longer than a load balancer keeps a connection that it does not use, often 60 s: else it may use one that is just being closed. */
const KEEP_ALIVE_MS = 65_000;
/** The request line and the headers together. Callers in many groups of a directory send up to 32 KB. */
const MAX_HEAD_BYTES = 64 * 1024;
/** The same as on the Functions host. */
const MAX_URL_BYTES = 8 * 1024;
const MAX_CONNECTIONS = 10_000;
/** Requests on one connection that wait for an answer. Few clients send the next one early. */
const MAX_PIPELINED = 64;
/** How long connections without a request stay open after SIGTERM, in milliseconds: a request may be under way on one. */
const QUIET_MS = 1_000;
/** How long connections that have arrived are still taken after SIGTERM, in milliseconds. The system holds 511 of them at most. */
const LAST_CONNECTIONS_MS = 1_000;
/** The last telemetry may take so long, in milliseconds. */
const LAST_TELEMETRY_MS = 3_000;

/** A server of `node:http` that serves an app. */
export interface RunningServer {
  readonly url: string;
  /** Refuses new connections at once, answers the requests in hand within the time that is set, and sends the last telemetry. */
  readonly close: () => Promise<void>;
}

/** The probe of an orchestrator: it needs no token, and tells nothing but ready or not. */
export const READY_PATH = '/readyz';

/**
 * Serves an app until it is closed.
 * @throws {Error} with Node's code, such as EADDRINUSE, if it cannot listen
 */
export async function startServer(app: App, settings: ServerSettings, cors: Cors): Promise<RunningServer> {
  const route = createRouter(app);
  let closing = false;

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { url = '' } = request;
    const { headers: further, isPreflight } = cors(request);
    const respond = async (...[given]: [Parameters<typeof writeResponse>[1]]): Promise<void> =>
      writeResponse(response, given, { further, closes: closing });
    if (url.length > MAX_URL_BYTES) return respond({ status: 414, headers: {}, body: '' });
    if (isPreflight) return respond({ status: 204, headers: {}, body: '' });
    if (url === READY_PATH) {
      const isReady = !closing && (await app.isReady());
      return respond({ status: isReady ? 200 : 503, headers: { 'cache-control': 'no-store' }, body: '' });
    }
    const incoming = toIncomingRequest(request, response);
    return respond(await route(incoming.method, incoming.url)(incoming));
  };
  const server = createHttpServer(answer);
  server.listen(settings.port, settings.host);
  await once(server, 'listening');

  return {
    url: urlOf(server),
    async close() {
      closing = true;
      await refuseConnections(server);
      await Promise.all([app.end(settings.drainMs, LAST_TELEMETRY_MS), sleep(QUIET_MS)]);
      server.closeAllConnections();
    },
  };
}

function createHttpServer(answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>): Server {
  const { take, isAnswering } = onePerConnection(answer);
  const options = {
    headersTimeout: HEAD_TIMEOUT_MS,
    connectionsCheckingInterval: CHECK_MS,
    // A body has the time that its request has: the handler answers 408.
    requestTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxHeaderSize: MAX_HEAD_BYTES,
  };
  const server = createServer(options, take)
    .on('checkContinue', take)
    .on('clientError', (error, socket) => refuse(error, socket, isAnswering(socket)));
  server.maxConnections = MAX_CONNECTIONS;
  return server;
}

/** What a connection's requests have come to. */
interface Turns {
  /** The answer that is being made. */
  readonly current: ServerResponse;
  /** Begin the answers to the requests behind it. */
  readonly waiting: (() => void)[];
}

interface OnePerConnection {
  readonly take: (request: IncomingMessage, response: ServerResponse) => void;
  /**
   * Whether the next answer on a connection belongs to a request that has arrived whole, or has begun. It is false while a
   * request's body is still coming: if the body is not HTTP, that request can be refused.
   */
  readonly isAnswering: (socket: Duplex) => boolean;
}

/**
 * Answers the requests of a connection one after the other, though a caller may send several at once. Node would begin all
 * of them, and not tell those that wait for their turn to answer that the caller is gone.
 */
function onePerConnection(
  answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): OnePerConnection {
  const turns = new WeakMap<Duplex, Turns>();
  const start = (request: IncomingMessage, response: ServerResponse, waiting: Turns['waiting']): void => {
    const { socket } = request;
    turns.set(socket, { current: response, waiting });
    response.once('close', () => {
      const next = waiting.shift();
      if (next && !socket.destroyed) next();
      else turns.delete(socket);
    });
    answer(request, response).catch(() => response.destroy());
  };
  return {
    take(request, response) {
      const { socket } = request;
      const waiting = turns.get(socket)?.waiting;
      if (!waiting) start(request, response, []);
      else if (waiting.push(() => start(request, response, waiting)) > MAX_PIPELINED) socket.destroy();
    },
    isAnswering(socket) {
      const current = turns.get(socket)?.current;
      return current !== undefined && (current.req.complete || current.headersSent);
    },
  };
}

/**
 * Stops listening. Connections that are open stay so: a request may be under way on one that is idle, and closing it, as
 * `http.Server` does, would lose that request. Each is closed with its next answer.
 */
async function refuseConnections(server: Server): Promise<void> {
  // Connections that the system has accepted already would be reset. Node takes one in each turn. While new ones keep
  // arriving, there is no end to them.
  const last = performance.now() + LAST_CONNECTIONS_MS;
  let taken = 0;
  server.on('connection', () => {
    taken += 1;
  });
  for (let before = -1; before < taken && performance.now() < last;) {
    before = taken;
    await nextTurn();
    await nextTurn();
  }
  NetServer.prototype.close.call(server);
}

function urlOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server listens on no TCP port.');
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return `http://${host}:${address.port}`;
}
