import { Server } from 'node:net';
import { Server as HttpServer } from 'node:http';
import type { ProgrammingModel } from './registry.ts';

/**
 * Runs `open`, and makes the servers that it opens listen on 127.0.0.1, whatever address they ask for.
 *
 * In stream mode, `@azure/functions` opens its HTTP server on all interfaces of the machine, and has no option for
 * that. In Azure, that is inside a sandbox. Here it would offer the app to the whole network.
 *
 * @returns what `open` returned, and the servers that it opened
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

/** The HTTP server that `@azure/functions` runs in stream mode. The host forwards requests to it. */
export interface LibraryServer {
  port: number;
  close(): void;
}

/**
 * Makes the library open its HTTP server. Like the language worker, it asks for the library's capabilities.
 * @throws {Error} if the app does not use stream mode
 */
export async function openLibraryServer(model: ProgrammingModel): Promise<LibraryServer> {
  const { result, servers } = await onLoopback(() => model.getCapabilities({}));
  const uri = result['HttpUri'];
  if (!uri) {
    throw new Error(
      'The app does not stream HTTP, but the local host needs it. Add app.setup({ enableHttpStream: true }).',
    );
  }
  return {
    port: Number(new URL(uri).port),
    close() {
      for (const server of servers) {
        server.close();
        if (server instanceof HttpServer) server.closeAllConnections();
      }
    },
  };
}
