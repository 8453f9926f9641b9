import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/**
 * How long to discard what the caller still sends after a refusal, in milliseconds. If the connection is closed at
 * once, the refusal may not arrive.
 */
const LINGER_MS = 2_000;

/**
 * Answers a connection that Node reports as `clientError`: what it sends is not HTTP, or the head of a request is too
 * large or too slow. No route fits, so the answer has a status and no body, as on the Functions host.
 * @param isAnswering - whether the next answer on the connection belongs to another request
 */
export function refuse(error: NodeJS.ErrnoException, socket: Duplex, isAnswering: boolean): void {
  const status = statusOf(error.code);
  // A refusal or the last answer is already being sent.
  if (socket.writableEnded) return;
  // The client would take a refusal for the answer to that request, or for a part of it.
  if (!socket.writable || isAnswering) {
    socket.destroy();
    return;
  }
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
  socket.resume();
  const cut = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(cut));
}

function statusOf(code: string | undefined): number {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return 431;
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return 408;
    default:
      return 400;
  }
}
