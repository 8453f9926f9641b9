import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { BrokenOff } from './send.ts';

/** A request as it came to the emulated Azure. */
export interface RecordedRequest {
  method: string;
  /** Without the query. */
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  /** Parsed when it is JSON, else the text; undefined until it is there in full. */
  body: unknown;
  receivedAt: Date;
  /** When each piece of the answer left, in milliseconds of `performance.now()`. */
  sentAt: number[];
  /** Whether the client went away before the answer was finished; settles when the exchange is over. */
  closedEarly: Promise<boolean>;
}

/** Starts the record of a request: all but its body. */
export function recordRequest(req: IncomingMessage, res: ServerResponse): RecordedRequest {
  const { pathname, searchParams } = new URL(req.url ?? '/', 'http://127.0.0.1');
  return {
    method: req.method ?? '',
    path: pathname,
    query: searchParams,
    headers: req.headers,
    body: undefined,
    receivedAt: new Date(),
    sentAt: [],
    closedEarly: new Promise((resolve) => {
      res.once('close', () => resolve(!res.writableFinished && !(res.errored instanceof BrokenOff)));
    }),
  };
}

/** Reads a body, 200 MB of JSON as well as none. */
export async function readBody(req: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = await req.toArray();
  const text = Buffer.concat(chunks).toString();
  try {
    return JSON.parse(text);
  } catch {
    return text || undefined;
  }
}
