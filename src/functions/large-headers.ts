import { subscribe } from 'node:diagnostics_channel';
import { Server } from 'node:http';

/** The host forwards headers of up to 32 KB and a request line of up to 8 KB, and adds some headers of its own. */
const MAX_HEADER_BYTES = 64 * 1024;

/**
 * Lets the library's HTTP server take headers as large as the host forwards. Node's own limit is 16 KB, and where the
 * library's server refuses a request, the host leaves the caller waiting for 230 s.
 *
 * Call it before the library opens its server. Node's `--max-http-header-size` would need custom worker arguments, for
 * which Azure throws its pre-started worker away. Node reads this property of a server for each connection.
 */
export function takeLargeHeaders(): void {
  subscribe('tracing:net.server.listen:asyncStart', (message) => {
    const server = message instanceof Object && 'server' in message ? message.server : undefined;
    if (!(server instanceof Server) || Reflect.get(server, 'maxHeaderSize') !== undefined) return;
    Object.assign(server, { maxHeaderSize: MAX_HEADER_BYTES });
  });
}
