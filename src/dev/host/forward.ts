import { Agent, type ClientRequest, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { lingerAfterAnswer } from './linger.ts';

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

/** What this host says itself, whatever the client said; `expect` it has answered already. */
const ours = new Set(['x-ms-invocation-id', 'x-forwarded-host', 'x-forwarded-proto', 'expect']);

const agent = new Agent({ keepAlive: true });

/**
 * Forwards a request to the library's HTTP server and its answer back, both streamed at the pace of the
 * slower side. A client that goes away takes the forwarded request with it; an answer that breaks off
 * breaks off the client's.
 *
 * @returns a function that gives the request up: 500 if nothing was answered yet, else a broken answer.
 */
export function forward(req: IncomingMessage, res: ServerResponse, port: number, invocationId: string): () => void {
  const { method, url } = req;
  const headers = forwardedHeaders(req, invocationId);
  const forwarded = request({ agent, host: '127.0.0.1', port, method, path: url, headers });
  const giveUp = () => {
    breakOff(req, res);
    forwarded.destroy();
  };

  forwarded.on('response', (answer) => relay(answer, forwarded, req, res));
  forwarded.on('error', giveUp);
  res.once('close', () => {
    if (!res.writableFinished) forwarded.destroy();
  });
  forwarded.flushHeaders();
  req.pipe(forwarded);
  return giveUp;
}

/** Answers with nothing but a status; a request that is still being sent is not waited for. */
export function answerEmpty(req: IncomingMessage, res: ServerResponse, status: number): void {
  if (!req.complete) lingerAfterAnswer(req);
  res.writeHead(status, { 'content-length': 0, ...(req.complete ? {} : { connection: 'close' }) }).end();
}

function relay(answer: IncomingMessage, forwarded: ClientRequest, req: IncomingMessage, res: ServerResponse): void {
  const headers = endToEnd(answer);
  if (!req.complete) {
    headers.push('connection', 'close');
    lingerAfterAnswer(req);
  }
  res.writeHead(answer.statusCode ?? 500, headers);
  res.flushHeaders();
  answer.pipe(res);
  answer.once('close', () => {
    if (!answer.complete) res.destroy();
    // Answered, so nobody is going to read the rest of the request.
    if (!req.complete) forwarded.destroy();
  });
}

function breakOff(req: IncomingMessage, res: ServerResponse): void {
  if (res.headersSent) res.destroy();
  else answerEmpty(req, res, 500);
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
