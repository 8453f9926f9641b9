import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { connectionFailure, ProxyRefused } from '../azure/connection-failure.ts';
import { proxyName, proxyOptions } from '../azure/proxy.ts';
import type { Target } from '../config/settings.ts';
import { fail, type Finding, ok } from './check.ts';

const TIMEOUT_MS = 8_000;

/** Checks that something answers at an endpoint, over trusted TLS. The status of the answer does not matter. */
export async function checkEndpoint({ endpoint }: Target): Promise<Finding> {
  const { host } = new URL(endpoint);
  const proxy = proxyName(endpoint);
  const through = proxy ? ` through the proxy ${proxy}` : '';
  const started = performance.now();
  try {
    const tls = await connect(endpoint);
    return ok(`${host} answers${through}${tls ? ` over ${tls}` : ''} (${Math.round(performance.now() - started)} ms)`);
  } catch (error) {
    const { code, reason, fix } = connectionFailure(error);
    return fail(`${host}${through}: ${reason} (${code ?? 'no answer'})`, fix);
  }
}

/** The check has its own agents, so that it never reuses an old connection that no longer proves anything. */
const proxied = proxyOptions({});

async function connect(endpoint: string): Promise<string | undefined> {
  const through = await proxied(new URL(endpoint));
  const { request } = endpoint.startsWith('https:') ? https : http;
  return new Promise((resolve, reject) => {
    const asked = request(endpoint, { method: 'HEAD', agent: false, timeout: TIMEOUT_MS, ...through }, (response) => {
      resolve(isTls(response.socket) ? (response.socket.getProtocol() ?? undefined) : undefined);
      asked.destroy();
    });
    asked.once('proxyConnect', ({ statusCode }: { statusCode: number }) => {
      if (statusCode !== 200) asked.destroy(new ProxyRefused(statusCode));
    });
    asked.on('timeout', () => asked.destroy(Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' })));
    asked.on('error', reject);
    asked.end();
  });
}

/** Avoids `instanceof TLSSocket`: importing node:tls reads all root certificates, which slows down every cold start. */
function isTls(socket: Socket): socket is TLSSocket {
  return 'getProtocol' in socket;
}
