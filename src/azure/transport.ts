import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import https from 'node:https';
import { pipeline, Readable, type Transform } from 'node:stream';
import zlib from 'node:zlib';
import { parseJson } from '../config/json-object.ts';
import type { Deadline } from '../http/deadline.ts';
import { connectionFailure, ProxyRefused } from './connection-failure.ts';
import { proxyOptions } from './proxy.ts';
import { type Pieces, RequestBody } from './request-body.ts';
import { forbidHopelessRetry } from './retry.ts';
import { errorObjectOf } from './upstream-error.ts';

/** Data of one request for the transport. It travels in `fetchOptions`, which the SDK passes on unchanged. */
export interface Call {
  /** The images of the request, by their placeholders in the JSON. */
  readonly images: ReadonlyMap<string, Pieces>;
  readonly deadline: Pick<Deadline, 'remaining' | 'signal'>;
  /** HTTP requests so far, including retries. */
  attempts: number;
  /** Why the connection failed, if a retry would fail, too. */
  failure: unknown;
}

/** The options that the SDK passes to `fetch`. Without a call, the body has no images and the deadline is unknown. */
export type TransportInit = RequestInit & {
  readonly call?: Call;
  /** Whether the caller reads the answer while it arrives. */
  readonly streams?: boolean;
};

/**
 * The most connections to all endpoints together. Further requests wait for a free one. The strictest plan,
 * Consumption, allows 600 connections of all kinds for each instance:
 * https://learn.microsoft.com/azure/azure-functions/manage-connections#connection-limit
 */
const MAX_SOCKETS = 512;

/**
 * An idle connection is closed after this time. Azure's load balancers drop a connection that is idle for four minutes
 * without telling either end. A request on such a connection would wait until its deadline.
 * https://learn.microsoft.com/azure/load-balancer/load-balancer-tcp-reset
 */
const UNUSED_MS = 30_000;

const kept = { keepAlive: true, maxTotalSockets: MAX_SOCKETS, timeout: UNUSED_MS };
const direct = { http: new http.Agent(kept), https: new https.Agent(kept) };
const proxied = proxyOptions(kept);

/** Decoders by Content-Encoding: https://www.rfc-editor.org/rfc/rfc9110#section-8.4.1 */
const DECODERS: Readonly<Record<string, () => Transform>> = {
  gzip: zlib.createGunzip,
  'x-gzip': zlib.createGunzip,
  deflate: zlib.createInflate,
  br: zlib.createBrotliDecompress,
  zstd: zlib.createZstdDecompress,
};

/**
 * The SDK's `fetch`. For each attempt, it writes the images into the SDK's JSON while it sends. The global `fetch`
 * would copy the whole body, which may have 27 MB. No redirect is followed, so that only the endpoint gets the token.
 * @throws the error of a connection that failed, unless a retry would fail, too. `call.failure` then has the error.
 */
export async function transport(input: string | URL | Request, init: TransportInit = {}): Promise<Response> {
  const { call } = init;
  const body = new RequestBody(jsonOf(init.body), call?.images ?? new Map());
  const headers = init.headers instanceof Headers ? init.headers : new Headers(init.headers);
  headers.set('accept-encoding', 'identity');
  if (call) call.attempts += 1;
  try {
    const message = await send(new URL(input instanceof Request ? input.url : input), init, headers, body);
    const response = await withErrorObject(await toResponse(message, init.streams ?? false));
    return call ? forbidHopelessRetry(response, headers, call.deadline.remaining()) : response;
  } catch (error) {
    if (!call || !connectionFailure(error).isPermanent) throw error;
    // The SDK retries if fetch throws, but not if it returns a network error.
    call.failure = error;
    return Response.error();
  }
}

/** The SDK sends JSON as a string. A body of another type must not be dropped silently. */
function jsonOf(body: RequestInit['body']): string {
  if (typeof body === 'string') return body;
  if (body === undefined || body === null) return '';
  throw new TypeError('the transport can only send a string as the body');
}

async function send(url: URL, init: TransportInit, headers: Headers, body: RequestBody): Promise<IncomingMessage> {
  const options = {
    method: init.method ?? 'GET',
    headers: { ...Object.fromEntries(headers), 'content-length': body.length },
    agent: url.protocol === 'http:' ? direct.http : direct.https,
    ...(await proxied(url)),
  };
  const request = url.protocol === 'http:' ? http.request(url, options) : https.request(url, options);
  // The SDK's signal combines the deadline's with one for its timeout, which is never shorter. V8 keeps all listeners of
  // a combined signal, with all data of the request, until the next full garbage collection.
  abortWith(request, init.call?.deadline.signal ?? init.signal ?? undefined);
  return new Promise((resolve, reject) => {
    let refused = false;
    request.once('proxyConnect', ({ statusCode }: { statusCode: number }) => {
      if (statusCode !== 200) request.destroy(new ProxyRefused(statusCode));
    });
    request.once('response', (message) => {
      // If the service refuses the request early, stop sending the body. The socket cannot be used again then.
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

/** Ends a request, and its response if it has started, when the signal is aborted. */
function abortWith(request: ClientRequest, signal: AbortSignal | undefined): void {
  if (!signal) return;
  const abort = (): void => void request.destroy(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  request.once('close', () => signal.removeEventListener('abort', abort));
}

/**
 * Makes the response for the SDK. A whole answer is read first: a web stream is expensive, and V8 keeps each one, with
 * all data of its request, until the next full garbage collection.
 */
async function toResponse(message: IncomingMessage, streams: boolean): Promise<Response> {
  const { statusCode: status = 0 } = message;
  const { stream, headers } = decoded(message);
  if (hasNoBody(status)) return new Response(null, { status, headers });
  // If the answer breaks off, reading it fails in the SDK, which does not retry then.
  const whole = streams ? undefined : await wholeOf(stream).catch(() => undefined);
  return new Response(whole ?? (Readable.toWeb(stream) as ReadableStream), { status, headers });
}

async function wholeOf(stream: Readable): Promise<Uint8Array<ArrayBuffer>> {
  return Buffer.concat(await Array.fromAsync(stream as AsyncIterable<Buffer>));
}

/** The body of a response, and its headers as pairs of name and value. */
interface Decoded {
  readonly stream: Readable;
  readonly headers: [string, string][];
}

/**
 * Decompresses a response, because some gateways compress in spite of `accept-encoding: identity`. A response with an
 * unknown encoding is passed on unchanged, with its header.
 */
function decoded(message: IncomingMessage): Decoded {
  const headers = pairs(message.rawHeaders);
  const encodings = (message.headers['content-encoding'] ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim());
  const applied = encodings.filter((name) => name && name !== 'identity');
  if (applied.length === 0 || applied.some((name) => !DECODERS[name])) return { stream: message, headers };
  // The header lists encodings in the order in which they were applied, so the last one is undone first.
  const stream = applied.reduceRight<Readable>((encoded, name) => {
    const decoder = DECODERS[name]?.();
    return decoder ? pipeline(encoded, decoder, () => undefined) : encoded;
  }, message);
  return { stream, headers: headers.filter(([name]) => !/^content-(?:encoding|length)$/i.test(name)) };
}

/** Gives the body of an error Azure's shape, `{"error": {…}}`, because the SDK reads no other. */
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

/** Whether `Response` throws if it gets a body with this status: https://fetch.spec.whatwg.org/#null-body-status */
function hasNoBody(status: number): boolean {
  return status === 204 || status === 205 || status === 304;
}
