import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/**
 * Starts a server on 127.0.0.1, which the network cannot reach.
 * @param port - 0 picks a free port
 * @returns the port
 */
export async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server listens on no TCP port.');
  return address.port;
}

/**
 * Checks that a port of 127.0.0.1 is free, by listening on it for a moment.
 * @throws {Error} with Node's code `EADDRINUSE` if the port is taken
 */
export async function checkPort(port: number): Promise<void> {
  // Refuse connections, such as those of an open playground. Otherwise close() would wait for their end.
  const server = createServer((socket) => socket.destroy());
  await listen(server, port);
  await once(server.close(), 'close');
}
