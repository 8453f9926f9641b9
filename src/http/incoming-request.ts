import type { Connection } from './connection.ts';

/** A request, independent of what serves the app. `functions/` and `server/` turn their own types into it. */
export interface IncomingRequest extends Connection {
  /** The id that `x-request-id` and the log line contain. */
  readonly id: string;
  readonly method: string;
  /** The absolute URL. */
  readonly url: URL;
  readonly headers: Pick<Headers, 'get'>;
  /** The caller's span, in the headers of W3C Trace Context. */
  readonly trace: { readonly traceparent?: string; readonly tracestate?: string };
  /** Writes one line to the log. */
  readonly log: (level: 'info' | 'error', line: string) => void;
}
