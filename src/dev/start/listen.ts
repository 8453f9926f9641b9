import { once } from 'node:events';
import type { Server } from 'node:net';

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
