import {
  createServer as createHttpServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { onTestFinished } from 'vitest';
import type { Certificate } from '../../../src/dev/emulator/entra/certificates.ts';
import { listen } from '../../../src/dev/start/listen.ts';

/** One received delivery of telemetry. */
export interface Delivery {
  readonly path: string;
  readonly contentType: string | undefined;
  readonly authorization: string | undefined;
  readonly text: string;
}

/** A server on this machine that receives telemetry. */
export interface Receiver {
  readonly url: string;
  readonly deliveries: readonly Delivery[];
}

/** Starts a receiver, with TLS if there is a certificate. It ends with the test. */
export async function startReceiver(
  answer: (delivery: Delivery) => object,
  certificate?: Certificate,
): Promise<Receiver> {
  const deliveries: Delivery[] = [];
  const take = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const delivery = await read(req);
    deliveries.push(delivery);
    res.setHeader('content-type', 'application/json').end(JSON.stringify(answer(delivery)));
  };
  const respond: RequestListener = (req, res) => void take(req, res);
  const server = certificate ? createHttpsServer(certificate, respond) : createHttpServer(respond);
  await listen(server, 0);
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `${certificate ? 'https' : 'http'}://127.0.0.1:${port}`, deliveries };
}

async function read(req: IncomingMessage): Promise<Delivery> {
  const body = await buffer(req);
  const text = (req.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString();
  const { 'content-type': contentType, authorization } = req.headers;
  return { path: req.url ?? '', contentType, authorization, text };
}
