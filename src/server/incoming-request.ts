import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connectionOf } from '../http/connection.ts';
import type { IncomingRequest } from '../http/incoming-request.ts';

/** `URL` needs an origin to parse a path. The caller's Host header may not be a valid one. */
const ORIGIN = 'http://localhost';

/** Converts a request of `node:http` to the app's own request type. */
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
      // Send `100 Continue` only when the body is read, so that a caller who is refused before does not upload it.
      if (continues) response.writeContinue();
      continues = false;
      return connection.body(signal);
    },
  };
}

function urlOf({ url = '' }: IncomingMessage): URL {
  return URL.parse(url.startsWith('/') ? `${ORIGIN}${url}` : url) ?? new URL(ORIGIN);
}
