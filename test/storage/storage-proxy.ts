import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import type { EmulatedStorage } from '../../src/dev/emulator/storage.ts';

/** How a request to storage fails: it is refused, cut off, never answered, answered late, or answered with an error. */
export type StorageFault =
  'refuse' | 'break' | 'hang' | { readonly delayMs: number } | { readonly status: number; readonly code: string };

const REFUSAL = { status: 403, code: 'AuthorizationPermissionMismatch' };

/** A proxy between an app and the emulated storage. It counts requests, and can let them fail. */
export interface StorageProxy {
  /** The environment variables with which an app uses the proxy for blobs and queues. */
  readonly env: Readonly<Record<string, string>>;
  /** The URL of the container of images, through the proxy. */
  readonly images: string;
  /** Requests so far: `GET blob`, `PUT blob`, `POST queue` and the like. */
  readonly counts: Map<string, number>;
  /** Sets the fault of each request from now on. Undefined forwards the request. Requests that hang are cut off. */
  setFault(fault: (request: IncomingMessage) => StorageFault | undefined): void;
  close(): void;
}

/** Starts a proxy for blobs and queues, with the certificate of the emulated storage. */
export async function startStorageProxy({ env, ca, caFile, images }: EmulatedStorage): Promise<StorageProxy> {
  const folder = dirname(caFile);
  const [cert, key] = await Promise.all([readFile(join(folder, 'cert.pem')), readFile(join(folder, 'key.pem'))]);
  const agent = new https.Agent({ ca, keepAlive: true });
  const counts = new Map<string, number>();
  const servers: https.Server[] = [];
  const hanging = new Set<ServerResponse>();
  let faultOf: (request: IncomingMessage) => StorageFault | undefined = () => undefined;

  const listen = async (kind: string, target: string): Promise<string> => {
    const { hostname, port, pathname } = new URL(target);
    const server = https.createServer({ cert, key }, (request, response) => {
      const what = `${request.method} ${kind}`;
      counts.set(what, (counts.get(what) ?? 0) + 1);
      const forward = (): void => {
        const { method, url, headers } = request;
        const onward = https.request({ agent, hostname, port, method, path: url, headers }, (answer) => {
          response.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(response);
        });
        onward.on('error', () => response.destroy());
        request.pipe(onward);
      };
      const fault = faultOf(request);
      if (fault === 'hang') hanging.add(response);
      applyFault(fault, request, response, forward);
    });
    servers.push(server.listen(0, '127.0.0.1'));
    await once(server, 'listening');
    return `https://127.0.0.1:${(server.address() as AddressInfo).port}${pathname}`;
  };

  const blobs = await listen('blob', env['JobsStorage__blobServiceUri'] ?? '');
  const queues = await listen('queue', env['JobsStorage__queueServiceUri'] ?? '');
  const proxiedImages = `${blobs}/${images.containerName}`;
  return {
    env: {
      ...env,
      IMAGE_CONTAINERS: proxiedImages,
      JobsStorage__blobServiceUri: blobs,
      JobsStorage__queueServiceUri: queues,
    },
    images: proxiedImages,
    counts,
    setFault(fault) {
      faultOf = fault;
      for (const response of hanging) response.destroy();
      hanging.clear();
    },
    close() {
      agent.destroy();
      for (const server of servers) {
        server.closeAllConnections();
        server.close();
      }
    },
  };
}

function applyFault(
  fault: StorageFault | undefined,
  request: IncomingMessage,
  response: ServerResponse,
  forward: () => void,
): void {
  if (fault === undefined) return forward();
  if (typeof fault === 'object' && 'delayMs' in fault) return void setTimeout(forward, fault.delayMs).unref();
  if (fault === 'break') return void request.destroy();
  request.resume();
  if (fault === 'hang') return;
  const { status, code } = fault === 'refuse' ? REFUSAL : fault;
  response
    .writeHead(status, { 'content-type': 'application/xml', 'x-ms-error-code': code })
    .end(
      `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>This request is not possible.</Message></Error>`,
    );
}
