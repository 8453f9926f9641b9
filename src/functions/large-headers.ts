import { subscribe } from 'node:diagnostics_channel';
import { Server } from 'node:http';

/** The host forwards headers of up to 32 KB and a request line of up to 8 KB, and adds a few headers. */
const MAX_HEADER_BYTES = 64 * 1024;

/**
 * Makes the library's HTTP server accept headers as large as those that the host forwards. Node's default limit is
 * 16 KB. If the library's server refuses a request, the host does not answer, and the caller waits for 230 s.
 *
 * Call this before the library opens its server. Node's `--max-http-header-size` is no alternative: it needs custom
 * worker arguments, and with those Azure cannot use its pre-started worker. Node reads `maxHeaderSize`, which is not a
 * documented property, for each connection.
 */
export function takeLargeHeaders(): void {
  subscribe('tracing:net.server.listen:asyncStart', (message) => {
    const server = message instanceof Object && 'server' in message ? message.server : undefined;
    if (!(server instanceof Server) || Reflect.get(server, 'maxHeaderSize') !== undefined) return;
    Object.assign(server, { maxHeaderSize: MAX_HEADER_BYTES });
  });
}
