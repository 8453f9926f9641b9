import { Server } from 'node:net';

/**
 * Runs `open` and forces the server it opens onto 127.0.0.1, whatever address it asked for.
 *
 * In stream mode `@azure/functions` opens its HTTP server with `listen()`, so on every interface of the
 * machine and with no way to say otherwise. In Azure that is a sandbox's; here it would offer the app to
 * the whole network.
 *
 * @returns what `open` returned, and the servers it opened.
 */
export async function onLoopback<T>(open: () => Promise<T>): Promise<{ result: T; servers: Server[] }> {
  const servers: Server[] = [];
  const listen = Object.getOwnPropertyDescriptor(Server.prototype, 'listen');
  if (!listen) throw new Error('This Node has no Server.prototype.listen to keep on the loopback address.');
  const value = function listenOnLoopback(this: Server, ...given: unknown[]): Server {
    servers.push(this);
    for (const ready of given) {
      if (typeof ready === 'function') this.once('listening', () => ready());
    }
    return Reflect.apply(listen.value, this, [{ port: given.find(Number.isInteger) ?? 0, host: '127.0.0.1' }]);
  };
  Object.defineProperty(Server.prototype, 'listen', { ...listen, value });
  try {
    return { result: await open(), servers };
  } finally {
    Object.defineProperty(Server.prototype, 'listen', listen);
  }
}
