import { randomUUID } from 'node:crypto';
import { type Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';

/** A request that takes longer than this is cancelled, and its result is `hung`. */
const HUNG_MS = 60_000;

/** The headers that the Functions host adds to a request that it forwards to a worker, besides the invocation's id. */
const FORWARDED = { 'x-forwarded-host': '127.0.0.1', 'x-forwarded-proto': 'http' };

/** A request to send, and what its answer must show. */
export interface Target {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** The upstream answers with the size of the body that it got. If that is less, the side did not send the image. */
  readonly minBytes: number;
}

/** How a request ended. */
export interface Outcome {
  /** A status such as `200`, `hung`, or the code of the connection's error. */
  readonly result: string;
  readonly milliseconds: number;
  readonly text: string;
}

/** Sends one request. It never throws: an error is an outcome, too. */
export async function post({ url, headers, body }: Target, agent: Agent): Promise<Outcome> {
  const started = performance.now();
  const ended = (result: string, answer = ''): Outcome => ({
    result,
    milliseconds: performance.now() - started,
    text: answer,
  });
  try {
    return await new Promise<Outcome>((resolve, reject) => {
      // Chunked if there is no Content-Length. Clients of an app behind the Functions host should send large images so:
      // see "Large images" in src/request/README.md.
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
