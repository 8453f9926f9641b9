import { Agent, type ClientRequest, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { Writable } from 'node:stream';
import { lingerAfterAnswer } from '../../http/linger.ts';

/** Hop-by-hop headers, which concern only one connection: RFC 9110, section 7.6.1. */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Headers that this host sets itself or, as with `expect`, has already handled. The client's values are dropped. */
const ours = new Set(['x-ms-invocation-id', 'x-forwarded-host', 'x-forwarded-proto', 'expect']);

/**
 * Kestrel's MinRequestBodyDataRate: the lowest average rate of a body, and how long a body may be slower at its start.
 */
const MIN_BYTES_PER_SECOND = 240;
const GRACE_SECONDS = 5;

/** Large enough that the client's socket does not pause after every chunk. */
const UPLOAD_BUFFER_BYTES = 256 * 1024;

const agent = new Agent({ keepAlive: true });

/** The destination and the limits of a forwarded request. */
export interface ForwardOptions {
  /** The port of the library's HTTP server. */
  port: number;
  invocationId: string;
  /** The largest body to accept, in bytes. */
  maxBodyBytes: number;
  /** Called with the reason if this host refuses the request. */
  onRefused: (reason: string) => void;
}

/**
 * Forwards a request to the library's HTTP server, and the answer back to the client. Like the real host, it receives
 * the whole request before it reads the answer. So an early answer of the app reaches the client after its upload.
 * Unlike the real host, it forwards a body with a Content-Length as it arrives: reading it first would look like memory
 * of the app.
 *
 * If the client disconnects, the forwarded request is cancelled. If the answer breaks off, so does the client's answer.
 *
 * @returns a function that ends the request: with status 500, or with a broken answer if the answer has begun
 */
export function forward(req: IncomingMessage, res: ServerResponse, options: ForwardOptions): () => void {
  const { method, url } = req;
  const headers = forwardedHeaders(req, options.invocationId);
  const forwarded = request({ agent, host: '127.0.0.1', port: options.port, method, path: url, headers });
  const upload = uploadTo(forwarded);
  let givenUp = false;
  const giveUp = () => {
    if (givenUp) return;
    givenUp = true;
    req.unpipe(upload);
    forwarded.destroy();
    if (res.headersSent) res.destroy();
    else answerEmpty(req, res, 500);
  };

  forwarded.on('response', (answer) => {
    if (upload.writableFinished) relay(answer, res);
    else upload.once('finish', () => relay(answer, res));
  });
  forwarded.on('error', giveUp);
  upload.on('error', giveUp);
  res.once('close', () => {
    if (!res.writableFinished) forwarded.destroy();
  });
  enforceLimits(req, options.maxBodyBytes, {
    isHeldBack: () => upload.writableNeedDrain,
    refuse(reason) {
      options.onRefused(reason);
      giveUp();
    },
  });
  forwarded.flushHeaders();
  req.pipe(upload);
  return giveUp;
}

/**
 * Creates a stream that writes the next chunk when the last one is written. A plain pipe would stall after an early
 * answer, because Node's request emits no more `drain` events once the answer has begun (seen on 24.21).
 */
function uploadTo(forwarded: ClientRequest): Writable {
  return new Writable({
    highWaterMark: UPLOAD_BUFFER_BYTES,
    write: (chunk, _, done) => void forwarded.write(chunk, done),
    final: (done) => void forwarded.end(done),
  });
}

/** Answers with only a status, and discards the rest of a request that is still arriving. */
export function answerEmpty(req: IncomingMessage, res: ServerResponse, status: number): void {
  if (!req.complete) lingerAfterAnswer(req);
  // A 204 must not have a Content-Length: RFC 9110, section 8.6.
  const length = status === 204 ? {} : { 'content-length': 0 };
  res.writeHead(status, { ...length, ...(req.complete ? {} : { connection: 'close' }) }).end();
}

/** Returns why a body is refused that is larger than the limit. */
export function tooLarge(maxBodyBytes: number): string {
  return `The body is larger than ${maxBodyBytes} bytes (FUNCTIONS_REQUEST_BODY_SIZE_LIMIT).`;
}

function relay(answer: IncomingMessage, res: ServerResponse): void {
  res.writeHead(answer.statusCode ?? 500, endToEnd(answer));
  res.flushHeaders();
  answer.pipe(res);
  answer.once('close', () => {
    if (!answer.complete) res.destroy();
  });
}

/** Refuses a body that is too large or arrives too slowly. Time in which the app does not read does not count. */
function enforceLimits(
  req: IncomingMessage,
  maxBodyBytes: number,
  { isHeldBack, refuse }: { isHeldBack: () => boolean; refuse: (reason: string) => void },
): void {
  let bytes = 0;
  let seconds = 0;
  const count = (chunk: Buffer): void => {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) end(tooLarge(maxBodyBytes));
  };
  const everySecond = setInterval(() => {
    if (isHeldBack()) return;
    seconds += 1;
    if (seconds >= GRACE_SECONDS && bytes < seconds * MIN_BYTES_PER_SECOND)
      end(`The body arrives at less than ${MIN_BYTES_PER_SECOND} bytes a second.`);
  }, 1_000);
  const stop = (): void => clearInterval(everySecond);
  req.on('data', count).once('end', stop).once('close', stop);

  function end(reason: string): void {
    stop();
    req.off('data', count);
    refuse(reason);
  }
}

function forwardedHeaders(req: IncomingMessage, invocationId: string): string[] {
  const headers = endToEnd(req, ours);
  if (req.headers['transfer-encoding']) headers.push('transfer-encoding', 'chunked');
  headers.push('x-ms-invocation-id', invocationId);
  headers.push('x-forwarded-host', req.headers.host ?? '127.0.0.1');
  headers.push('x-forwarded-proto', 'http');
  return headers;
}

function endToEnd({ rawHeaders, headers }: IncomingMessage, dropped = new Set<string>()): string[] {
  const named = headers.connection?.toLowerCase().split(/\s*,\s*/) ?? [];
  return rawHeaders.filter((_, index) => {
    const name = rawHeaders[index - (index % 2)]?.toLowerCase() ?? '';
    return !hopByHop.has(name) && !named.includes(name) && !dropped.has(name);
  });
}
