import type { IncomingMessage } from 'node:http';

const LINGER_MS = 2_000;
const LINGER_BYTES = 16 * 1024 * 1024;

/**
 * Makes the end of an answer that came before the end of its request a gentle one: the sending side is
 * closed, and what the client still sends is thrown away for a little while before the socket is cut.
 *
 * Node would close the socket at once. With bytes of the request unread, that is a TCP reset, which
 * may overtake the answer, and the client reports a broken connection where it should report a 413
 * (RFC 9112, section 9.6).
 */
export function lingerAfterAnswer(req: IncomingMessage): void {
  const { socket } = req;
  // What Node calls on the socket when an answer with `connection: close` is written.
  socket.destroySoon = () => {
    socket.end();
    if (req.complete) return;

    let discarded = 0;
    req.on('data', (chunk: Buffer) => {
      discarded += chunk.length;
      if (discarded > LINGER_BYTES) req.pause();
    });
    const cut = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once('close', () => clearTimeout(cut));
  };
}
