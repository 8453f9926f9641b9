import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import https from 'node:https';
import { Readable } from 'node:stream';
import { currentCall } from './call.ts';
import { RequestBody } from './request-body.ts';
import { forbidHopelessRetry } from './retry.ts';

/**
 * Connections to the models at once, of one endpoint or two; what comes after waits for one. The strictest plan, Consumption,
 * allows an instance 600 of all kinds: https://learn.microsoft.com/azure/azure-functions/manage-connections#connection-limit
 */
const MAX_SOCKETS = 512;

/**
 * An unused connection is closed after so long: Azure's load balancers forget one in four minutes without a word to either
 * end, and a request sent into it would wait for its deadline. https://learn.microsoft.com/azure/load-balancer/load-balancer-tcp-reset
 */
const UNUSED_MS = 30_000;

const kept = { keepAlive: true, maxTotalSockets: MAX_SOCKETS, timeout: UNUSED_MS };
const agents = { http: new http.Agent(kept), https: new https.Agent(kept) };

/**
 * The SDK's `fetch`. It follows no redirect, so a token goes nowhere but to the endpoint, and it writes the images into
 * the JSON that the SDK made, anew for each attempt. What the global `fetch` would do with a body of 27 MB is copy it.
 */
export async function transport(input: string | URL | Request, init: RequestInit = {}): Promise<Response> {
  const call = currentCall.getStore();
  const body = new RequestBody(typeof init.body === 'string' ? init.body : '', call?.images ?? new Map());
  const headers = init.headers instanceof Headers ? init.headers : new Headers(init.headers);
  const message = await send(new URL(input instanceof Request ? input.url : input), init, headers, body);
  const { statusCode: status = 0 } = message;
  const response = new Response(hasNoBody(status) ? null : (Readable.toWeb(message) as ReadableStream), {
    status,
    headers: pairs(message.rawHeaders),
  });
  return call ? forbidHopelessRetry(response, headers, call) : response;
}

function send(url: URL, init: RequestInit, headers: Headers, body: RequestBody): Promise<IncomingMessage> {
  const options = {
    method: init.method ?? 'GET',
    headers: { ...Object.fromEntries(headers), 'content-length': body.length },
  };
  const request =
    url.protocol === 'http:'
      ? http.request(url, { ...options, agent: agents.http })
      : https.request(url, { ...options, agent: agents.https });
  abortWith(request, init.signal ?? undefined);
  return new Promise((resolve, reject) => {
    let refused = false;
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

function pairs(raw: readonly string[]): [string, string][] {
  const result: [string, string][] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) result.push([raw[at] ?? '', raw[at + 1] ?? '']);
  return result;
}

/** `Response` refuses a body where HTTP allows none: https://fetch.spec.whatwg.org/#null-body-status */
function hasNoBody(status: number): boolean {
  return status === 204 || status === 205 || status === 304;
}
