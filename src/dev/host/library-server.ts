import { Server as HttpServer } from 'node:http';
import { onLoopback } from './loopback.ts';
import type { ProgrammingModel } from './registry.ts';

/** The HTTP server that `@azure/functions` runs in stream mode; requests are forwarded to it. */
export interface LibraryServer {
  port: number;
  close(): void;
}

/** Has the library open its HTTP server, as the language worker does when it asks for its capabilities. */
export async function openLibraryServer(model: ProgrammingModel): Promise<LibraryServer> {
  const { result, servers } = await onLoopback(() => model.getCapabilities({}));
  const uri = result['HttpUri'];
  if (!uri) {
    throw new Error(
      'The app does not stream HTTP, and the local host does nothing else. Add app.setup({ enableHttpStream: true }).',
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
