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

/** Time for the head of a request to arrive, in milliseconds. */
const HEAD_TIMEOUT_MS = 30_000;
/** How often Node checks that time, in milliseconds. With its default of 30 s, a head could take a minute. */
const CHECK_MS = 1_000;
/**
 * How long an idle connection stays open, in milliseconds. It is longer than a load balancer keeps one, often 60 s.
 * Otherwise the balancer may send a request on a connection that is just being closed.
 */
const KEEP_ALIVE_MS = 65_000;
/** Limit of the request line and the headers together. Callers in many directory groups send up to 32 KB. */
const MAX_HEAD_BYTES = 64 * 1024;
/** Limit of the request's URL: the same as on the Functions host. */
const MAX_URL_BYTES = 8 * 1024;
const MAX_CONNECTIONS = 10_000;
/** Limit of the requests that wait on one connection. Few clients send the next request before they have the answer. */
const MAX_PIPELINED = 64;
/** How long idle connections stay open after SIGTERM, in milliseconds: a request may already be on its way on one. */
const QUIET_MS = 1_000;
/** How long waiting connections are accepted after SIGTERM, in milliseconds. Node's backlog has at most 511 of them. */
const LAST_CONNECTIONS_MS = 1_000;
/** Time to send the last telemetry, in milliseconds. */
const LAST_TELEMETRY_MS = 3_000;

/** A running `node:http` server that serves an app. */
export interface RunningServer {
  readonly url: string;
  /**
   * Refuses new connections, answers the requests in progress within `drainMs` of the settings, and sends the last
   * telemetry.
   */
  readonly close: () => Promise<void>;
}

/** The path of an orchestrator's probe. It needs no token, and says only whether the app is ready. */
export const READY_PATH = '/readyz';

/**
 * Starts a server for an app.
 * @throws {Error} with Node's code, such as EADDRINUSE, if the server cannot listen
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
  const { take, isAnswering } = serialize(answer);
  const options = {
    headersTimeout: HEAD_TIMEOUT_MS,
    connectionsCheckingInterval: CHECK_MS,
    // The handler's deadline limits the body, too. It answers 408.
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

/** The requests of one connection that are not answered yet. */
interface Turns {
  /** The response to the request in progress. */
  readonly current: ServerResponse;
  /** Each starts a request that waits behind it. */
  readonly waiting: (() => void)[];
}

interface OnePerConnection {
  readonly take: (request: IncomingMessage, response: ServerResponse) => void;
  /**
   * Returns whether the current request of a connection has arrived completely, or its answer has begun. While its body
   * is still arriving, the answer is free: it can refuse a body that is not HTTP.
   */
  readonly isAnswering: (socket: Duplex) => boolean;
}

/**
 * Answers the requests of a connection one after the other, even if the caller sends several at once (pipelining). Node
 * would start all of them, and would not tell the waiting ones that the caller has disconnected.
 */
function serialize(answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>): OnePerConnection {
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
 * Stops listening. Open connections stay open until their next answer: a request may be on its way on an idle one, and
 * would be lost if it were closed, as `http.Server` does.
 */
async function refuseConnections(server: Server): Promise<void> {
  // Connections that the system has accepted, but Node has not, would be reset. Node takes one in each turn of the
  // event loop. New ones may keep arriving, so there is a time limit.
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
