import { randomUUID } from 'node:crypto';
import { type Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';

/** A request that hangs longer than this is given up, and counted as hung. */
const HUNG_MS = 60_000;

/** What the host adds to a request that it passes on to a worker, beside the invocation's id. */
const FORWARDED = { 'x-forwarded-host': '127.0.0.1', 'x-forwarded-proto': 'http' };

/** Where to send what. */
export interface Target {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** The upstream answers with the number of bytes that it was sent: no side gets away with fewer than these. */
  readonly minBytes: number;
}

/** How a request ended. */
export interface Outcome {
  /** `200`, another status, `hung`, or the code of the connection's failure. */
  readonly result: string;
  readonly milliseconds: number;
  readonly text: string;
}

/** Sends one request. It never throws: whatever happens is an outcome. */
export async function post({ url, headers, body }: Target, agent: Agent): Promise<Outcome> {
  const started = performance.now();
  const ended = (result: string, answer = ''): Outcome => ({
    result,
    milliseconds: performance.now() - started,
    text: answer,
  });
  try {
    return await new Promise<Outcome>((resolve, reject) => {
      // Chunked if it has no length, as callers of an app behind the Functions host should send it: src/request/README.md,
      // "Large images".
      const framing = 'content-length' in headers ? {} : { 'transfer-encoding': 'chunked' };
      const all = { ...headers, ...FORWARDED, ...framing, 'x-ms-invocation-id': randomUUID() };
      const sending = request(url, { method: 'POST', agent, headers: all, signal: AbortSignal.timeout(HUNG_MS) });
      sending.once('response', (response) => {
        text(response).then((answer) => resolve(ended(String(response.statusCode), answer)), reject);
      });
      sending.on('error', reject);
      sending.end(body);
    });
  } catch (error) {
    return ended(resultOf(error));
  }
}

function resultOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'AbortError') return 'hung';
  return 'code' in error ? String(error.code) : error.message;
}
