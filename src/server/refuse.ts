import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/** How long what a caller still sends is discarded after a refusal, in milliseconds; cut at once, it may not arrive. */
const LINGER_MS = 2_000;

/**
 * Answers what is not HTTP, or a request whose head is too large or too slow: Node reports such a connection as
 * `clientError`. There is no request to find a route for, so the answer has a status and no body, as on the Functions host.
 * @param isAnswering - whether the connection has a request that is not answered yet
 */
export function refuse(error: NodeJS.ErrnoException, socket: Duplex, isAnswering: boolean): void {
  const status = statusOf(error.code);
  // A refusal, or the last answer, is on its way.
  if (socket.writableEnded) return;
  // A refusal would be taken for the answer to that request, or for a part of it.
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
