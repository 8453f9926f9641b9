import type { Connection } from './connection.ts';

/** What the app needs of one request, whatever serves it. Each way to serve the app makes this type from its own. */
export interface IncomingRequest extends Connection {
  /** Sent back as `x-request-id`, and named in the log line. */
  readonly id: string;
  readonly method: string;
  /** The whole of it. */
  readonly url: string;
  readonly headers: Pick<Headers, 'get'>;
  /** The span that this request is part of, as W3C Trace Context writes it. */
  readonly trace: { readonly traceparent?: string; readonly tracestate?: string };
  /** Writes one line to the log. */
  readonly log: (level: 'info' | 'error', line: string) => void;
}
