import type { IncomingMessage } from 'node:http';

/** The same as RequestBodyDrainTimeout of the web server under the Functions host. */
const LINGER_MS = 5_000;

/**
 * Closes a connection gently if the answer comes before the end of the request. Call it before an answer with
 * `connection: close` is written. The sending side is closed, and what the caller still sends is discarded for up to 5
 * seconds before the socket is cut.
 *
 * Node would close the socket at once. With bytes of the request unread, that is a TCP reset, which may overtake the
 * answer, and the caller would report a broken connection instead of the status (RFC 9112, section 9.6).
 */
export function lingerAfterAnswer(req: IncomingMessage): void {
  const { socket } = req;
  // Node calls this on the socket when an answer with `connection: close` is written.
  socket.destroySoon = () => {
    socket.end();
    req.resume();
    const cut = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once('close', () => clearTimeout(cut));
  };
}
