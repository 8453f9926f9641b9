import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Target } from '../config/settings.ts';
import { fail, type Finding, ok } from './check.ts';

const TIMEOUT_MS = 8_000;

/** What stands behind the codes of Node that people meet. */
const CAUSES: readonly (readonly [codes: RegExp, reason: string, fix: string])[] = [
  [
    /ENOTFOUND/,
    'its name does not resolve',
    "check the name; if the resource is new or private, its custom subdomain or the network's DNS zone is missing (privatelink.openai.azure.com)",
  ],
  [/EAI_AGAIN/, 'the DNS server does not answer', "check this machine's network"],
  [/ECONNREFUSED/, 'it refuses the connection', 'check the address and the port; nothing listens there'],
  [
    /ETIMEDOUT|ENETUNREACH|EHOSTUNREACH/,
    'it does not answer',
    'look for a firewall on the way, or reach it through its private endpoint',
  ],
  [
    /CERT|SELF_SIGNED|UNABLE_TO_|ALTNAME/,
    'its certificate is not trusted',
    "if a proxy of your network stands between, set NODE_EXTRA_CA_CERTS to the file with the proxy's certificate; otherwise check the name",
  ],
  [/EPROTO|SSL|TLS/, 'TLS fails', 'check that the address is that of the resource, and look for a proxy on the way'],
];

/** Whether anything answers at an endpoint, over TLS that is trusted. What it answers does not matter here. */
export async function checkEndpoint({ endpoint }: Target): Promise<Finding> {
  const { host } = new URL(endpoint);
  const started = performance.now();
  try {
    const tls = await knock(endpoint);
    return ok(`${host} answers${tls ? ` over ${tls}` : ''} (${Math.round(performance.now() - started)} ms)`);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'no answer';
    const [, reason, fix] = CAUSES.find(([codes]) => codes.test(code)) ?? [
      code,
      'it cannot be reached',
      'check the address and the network',
    ];
    return fail(`${host}: ${reason} (${code})`, fix);
  }
}

async function knock(endpoint: string): Promise<string | undefined> {
  const { request } = endpoint.startsWith('https:') ? https : http;
  return new Promise((resolve, reject) => {
    const asked = request(endpoint, { method: 'HEAD', agent: false, timeout: TIMEOUT_MS }, (response) => {
      resolve(isTls(response.socket) ? (response.socket.getProtocol() ?? undefined) : undefined);
      asked.destroy();
    });
    asked.on('timeout', () => asked.destroy(Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' })));
    asked.on('error', reject);
    asked.end();
  });
}

/** Asked for by what it can do: the class is in node:tls, and an import of that reads all root certificates, in every cold start. */
function isTls(socket: Socket): socket is TLSSocket {
  return 'getProtocol' in socket;
}
