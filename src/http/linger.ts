import type { IncomingMessage } from 'node:http';

/** The same value as RequestBodyDrainTimeout of Kestrel, the web server of the Functions host. */
const LINGER_MS = 5_000;

/**
 * Closes a connection gently after an answer that comes before the end of the request. Call it before you write an
 * answer with `connection: close`. It closes the sending side, and discards what the caller still sends for up to 5
 * seconds. Then it destroys the socket.
 *
 * Node would close the socket at once. If parts of the request are unread, this sends a TCP reset. The reset may
 * overtake the answer, and the caller would then see a broken connection instead of the status (RFC 9112, section 9.6).
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
