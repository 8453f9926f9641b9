import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connectionOf } from '../http/connection.ts';
import type { IncomingRequest } from '../http/incoming-request.ts';

/** A URL needs an origin to be read. The caller's Host header may be no valid one. */
const ORIGIN = 'http://localhost';

/** Makes the app's own request type from a request to a server of `node:http`. */
export function toIncomingRequest(request: IncomingMessage, response: ServerResponse): IncomingRequest {
  const { method = '', headers } = request;
  const connection = connectionOf(request, response);
  const { traceparent, tracestate } = headers;
  let continues = headers.expect !== undefined;
  return {
    ...connection,
    id: randomUUID(),
    method,
    url: urlOf(request),
    headers: {
      get(name) {
        const value = headers[name.toLowerCase()];
        return Array.isArray(value) ? value.join(', ') : (value ?? null);
      },
    },
    trace: {
      ...(typeof traceparent === 'string' ? { traceparent } : {}),
      ...(typeof tracestate === 'string' ? { tracestate } : {}),
    },
    log(level, line) {
      if (level === 'error') console.error(line);
      else console.log(line);
    },
    body(signal) {
      // Whoever waits for `100 Continue` sends nothing if the answer comes first.
      if (continues) response.writeContinue();
      continues = false;
      return connection.body(signal);
    },
  };
}

function urlOf({ url = '' }: IncomingMessage): string {
  const parsed = URL.parse(url.startsWith('/') ? `${ORIGIN}${url}` : url);
  return parsed?.href ?? `${ORIGIN}/`;
}
