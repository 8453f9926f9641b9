import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HttpRequest, InvocationContext } from '@azure/functions';
import { type Connection, connectionOf } from '../http/connection.ts';
import type { IncomingRequest } from '../http/incoming-request.ts';

/**
 * Connections of the library's HTTP server, by invocation id. The programming model hides them: it does not report that
 * a caller has disconnected, and it ignores back-pressure. Node's diagnostics channel gives access to them.
 * https://nodejs.org/api/diagnostics_channel.html#http
 */
const connections = new Map<string, Connection>();

subscribe('http.server.request.start', (message) => {
  if (!isRequestStart(message)) return;
  const { request, response } = message;
  const id = request.headers['x-ms-invocation-id'];
  if (typeof id !== 'string') return;
  const connection = connectionOf(request, response);
  connections.set(id, connection);
  response.once('close', () => {
    if (connections.get(id) === connection) connections.delete(id);
  });
});

/**
 * Turns a request of the programming model into the app's own type. Its id is the invocation id, so that you can find a
 * request that a caller reports in the platform's logs.
 */
export function toIncomingRequest(
  { method, url, headers, body }: HttpRequest,
  { invocationId, traceContext }: InvocationContext,
  log: IncomingRequest['log'],
): IncomingRequest {
  const { traceParent, traceState } = traceContext ?? {};
  return {
    id: invocationId,
    method,
    url: new URL(url),
    headers,
    trace: { ...(traceParent ? { traceparent: traceParent } : {}), ...(traceState ? { tracestate: traceState } : {}) },
    log,
    ...(connections.get(invocationId) ?? bufferedConnection(body)),
  };
}

/** For a host that does not stream HTTP. The body came with the invocation, and a disconnect cannot be detected. */
function bufferedConnection(body: HttpRequest['body']): Connection {
  return {
    body: (signal) => bufferedChunks(body, signal),
    discardRest() {},
    closed: Promise.resolve(true),
    drained: async () => {},
  };
}

async function* bufferedChunks(body: HttpRequest['body'], signal: AbortSignal): AsyncGenerator<Uint8Array> {
  if (!body) return;
  const reader = body.getReader();
  const cancel = (): void => void reader.cancel(signal.reason);
  signal.addEventListener('abort', cancel);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      signal.throwIfAborted();
      if (done) return;
      yield value;
    }
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

function isRequestStart(message: unknown): message is { request: IncomingMessage; response: ServerResponse } {
  return message instanceof Object && 'request' in message && 'response' in message;
}
