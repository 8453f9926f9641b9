import { Agent, type ClientRequest, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { Writable } from 'node:stream';
import { lingerAfterAnswer } from '../../http/linger.ts';

/** Headers that concern one connection only (RFC 9110, section 7.6.1). */
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

/** Headers that this host sets itself, whatever the client sent; `expect` it has answered already. */
const ours = new Set(['x-ms-invocation-id', 'x-forwarded-host', 'x-forwarded-proto', 'expect']);

/** Kestrel's MinRequestBodyDataRate: the least average rate of a body, in bytes per second, and when it begins to count. */
const MIN_BYTES_PER_SECOND = 240;
const GRACE_SECONDS = 5;

/** Enough that the client's socket is not paused for every piece. */
const UPLOAD_BUFFER_BYTES = 256 * 1024;

const agent = new Agent({ keepAlive: true });

/** Where a request is forwarded to, and within which limits. */
export interface ForwardOptions {
  /** The port of the library's HTTP server. */
  port: number;
  invocationId: string;
  /** The largest body that is taken, in bytes. */
  maxBodyBytes: number;
  /** Is told why this host gives a request up. */
  onRefused: (reason: string) => void;
}

/**
 * Forwards a request to the library's HTTP server, and then its answer back. As in the real host, the whole request is
 * taken before the answer is read: an answer that the app gives early reaches the client after its upload. A body with
 * a Content-Length is passed on as it arrives; the real host first reads it whole, which would count as the app's own
 * memory here.
 *
 * A client that disconnects takes the forwarded request with it; an answer that breaks off breaks off the client's.
 *
 * @returns a function that gives the request up: 500 if nothing was answered yet, otherwise a broken answer.
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
 * Writes piece by piece, each when the one before is gone. Once an answer has begun, a request of Node emits no more
 * `drain` events (seen on 24.21), so that a plain pipe would stand still behind an early answer.
 */
function uploadTo(forwarded: ClientRequest): Writable {
  return new Writable({
    highWaterMark: UPLOAD_BUFFER_BYTES,
    write: (chunk, _, done) => void forwarded.write(chunk, done),
    final: (done) => void forwarded.end(done),
  });
}

/** Answers with nothing but a status; the rest of a request that is still being sent is discarded. */
export function answerEmpty(req: IncomingMessage, res: ServerResponse, status: number): void {
  if (!req.complete) lingerAfterAnswer(req);
  // RFC 9110, section 8.6: a 204 has none.
  const length = status === 204 ? {} : { 'content-length': 0 };
  res.writeHead(status, { ...length, ...(req.complete ? {} : { connection: 'close' }) }).end();
}

/** Why a body is refused that is larger than the real host takes. */
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

/** Refuses a body that grows too large or arrives too slowly; time in which the app holds it back does not count. */
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
