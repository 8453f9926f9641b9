import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import https from 'node:https';
import { pipeline, Readable, type Transform } from 'node:stream';
import zlib from 'node:zlib';
import { parseJson } from '../config/json-object.ts';
import { connectionFailure, ProxyRefused } from './connection-failure.ts';
import { proxyOptions } from './proxy.ts';
import { type Pieces, RequestBody } from './request-body.ts';
import { forbidHopelessRetry } from './retry.ts';
import { errorObjectOf } from './upstream-error.ts';

/** What one question carries past the SDK down to the transport: the SDK hands its `fetchOptions` on as they are. */
export interface Call {
  /** The images of the request, by the placeholder that stands for each in its JSON. */
  readonly images: ReadonlyMap<string, Pieces>;
  /** Milliseconds left of the request's deadline. */
  remaining(): number;
  /** Requests made so far, retries included. */
  attempts: number;
  /** Why the connection failed, where another attempt cannot go better. */
  failure: unknown;
}

/** What the SDK passes to its `fetch`; without a call, the body has no images and the deadline is not known. */
export type TransportInit = RequestInit & { readonly call?: Call };

/**
 * Connections to the models at once, of one endpoint or two; what comes after waits for one. The strictest plan, Consumption,
 * allows an instance 600 of all kinds: https://learn.microsoft.com/azure/azure-functions/manage-connections#connection-limit
 */
const MAX_SOCKETS = 512;

/**
 * An unused connection is closed after this time. Azure's load balancers forget a connection after four minutes without
 * telling either end, and a request sent into it would wait for its deadline.
 * https://learn.microsoft.com/azure/load-balancer/load-balancer-tcp-reset
 */
const UNUSED_MS = 30_000;

const kept = { keepAlive: true, maxTotalSockets: MAX_SOCKETS, timeout: UNUSED_MS };
const direct = { http: new http.Agent(kept), https: new https.Agent(kept) };
const proxied = proxyOptions(kept);

/** Decoders by the name of a Content-Encoding: https://www.rfc-editor.org/rfc/rfc9110#section-8.4.1 */
const DECODERS: Readonly<Record<string, () => Transform>> = {
  gzip: zlib.createGunzip,
  'x-gzip': zlib.createGunzip,
  deflate: zlib.createInflate,
  br: zlib.createBrotliDecompress,
  zstd: zlib.createZstdDecompress,
};

/**
 * The SDK's `fetch`. It follows no redirect, so that a token goes nowhere but to the endpoint, and it writes the images
 * into the JSON that the SDK made, anew for each attempt. The global `fetch` would copy a body of 27 MB.
 */
export async function transport(input: string | URL | Request, init: TransportInit = {}): Promise<Response> {
  const { call } = init;
  const body = new RequestBody(jsonOf(init.body), call?.images ?? new Map());
  const headers = init.headers instanceof Headers ? init.headers : new Headers(init.headers);
  headers.set('accept-encoding', 'identity');
  if (call) call.attempts += 1;
  try {
    const message = await send(new URL(input instanceof Request ? input.url : input), init, headers, body);
    const response = await withErrorObject(toResponse(message));
    return call ? forbidHopelessRetry(response, headers, call.remaining()) : response;
  } catch (error) {
    if (!call || !connectionFailure(error).isPermanent) throw error;
    // The SDK tries again after what is thrown, but not after a network error that is returned.
    call.failure = error;
    return Response.error();
  }
}

/** The SDK sends JSON as a string; a body of another kind would be lost without a word. */
function jsonOf(body: RequestInit['body']): string {
  if (typeof body === 'string') return body;
  if (body === undefined || body === null) return '';
  throw new TypeError('the transport sends no body but a string');
}

async function send(url: URL, init: RequestInit, headers: Headers, body: RequestBody): Promise<IncomingMessage> {
  const options = {
    method: init.method ?? 'GET',
    headers: { ...Object.fromEntries(headers), 'content-length': body.length },
    agent: url.protocol === 'http:' ? direct.http : direct.https,
    ...(await proxied(url)),
  };
  const request = url.protocol === 'http:' ? http.request(url, options) : https.request(url, options);
  abortWith(request, init.signal ?? undefined);
  return new Promise((resolve, reject) => {
    let refused = false;
    request.once('proxyConnect', ({ statusCode }: { statusCode: number }) => {
      if (statusCode !== 200) request.destroy(new ProxyRefused(statusCode));
    });
    request.once('response', (message) => {
      // Refused before all was sent: what is left of the body is not worth sending, and the socket not worth keeping.
      refused = (message.statusCode ?? 0) >= 400;
      message.once('close', () => {
        if (!request.writableFinished) request.destroy();
      });
      resolve(message);
    });
    request.on('error', reject);
    body.writeTo(request, () => refused);
  });
}

/** Ends a request, and its response if that has begun, when the signal is aborted. */
function abortWith(request: ClientRequest, signal: AbortSignal | undefined): void {
  if (!signal) return;
  const abort = (): void => void request.destroy(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  request.once('close', () => signal.removeEventListener('abort', abort));
}

function toResponse(message: IncomingMessage): Response {
  const { statusCode: status = 0 } = message;
  const headers = new Headers(pairs(message.rawHeaders));
  const stream = decoded(message, headers);
  return new Response(hasNoBody(status) ? null : (Readable.toWeb(stream) as ReadableStream), { status, headers });
}

/** Some gateways compress although `accept-encoding: identity` was sent. What no decoder reads stays as it came, under its header. */
function decoded(message: IncomingMessage, headers: Headers): Readable {
  const encodings = (headers.get('content-encoding') ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim());
  const applied = encodings.filter((name) => name && name !== 'identity');
  if (applied.length === 0 || applied.some((name) => !DECODERS[name])) return message;
  headers.delete('content-encoding');
  headers.delete('content-length');
  // Encodings are listed in the order in which they were applied.
  return applied.reduceRight<Readable>((stream, name) => {
    const decoder = DECODERS[name]?.();
    return decoder ? pipeline(stream, decoder, () => undefined) : stream;
  }, message);
}

/** The SDK passes on an error's body only where it is shaped like Azure's: `{"error": {…}}`. */
async function withErrorObject(response: Response): Promise<Response> {
  if (response.ok || response.body === null) return response;
  const { status, headers } = response;
  const text = await response.text();
  headers.delete('content-length');
  const error = errorObjectOf(parseJson(text));
  return new Response(error ? JSON.stringify({ error }) : text, { status, headers });
}

function pairs(raw: readonly string[]): [string, string][] {
  const result: [string, string][] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) result.push([raw[at] ?? '', raw[at + 1] ?? '']);
  return result;
}

/** `Response` refuses a body where HTTP allows none: https://fetch.spec.whatwg.org/#null-body-status */
function hasNoBody(status: number): boolean {
  return status === 204 || status === 205 || status === 304;
}
