import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { BrokenOff } from './send.ts';

/** A request to the emulated Azure. */
export interface RecordedRequest {
  method: string;
  /** The path without the query. */
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  /** The parsed body if it is JSON, or else its text. Undefined if it is empty, or until it has arrived. */
  body: unknown;
  receivedAt: Date;
  /** When each piece of the answer was sent, in milliseconds of `performance.now()`. */
  sentAt: number[];
  /**
   * Whether the client disconnected before the answer was complete. Resolves when the connection or the answer ends.
   */
  closedEarly: Promise<boolean>;
}

/** Creates the record of a request, without its body. */
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

/** Reads a body of any size. Returns parsed JSON, or text if it is not JSON, or undefined if it is empty. */
export async function readBody(req: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = await req.toArray();
  const text = Buffer.concat(chunks).toString();
  try {
    return JSON.parse(text);
  } catch {
    return text || undefined;
  }
}
