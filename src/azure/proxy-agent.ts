import type http from 'node:http';
import type https from 'node:https';
import { HttpProxyAgent } from 'http-proxy-agent';
import { HttpsProxyAgent } from 'https-proxy-agent';

// This is a separate file because esbuild gives the import() of a CommonJS package no named exports.

/** Makes an agent that uses a proxy: with a tunnel for `https:`, and with absolute URLs for `http:`. */
export function proxyAgent(protocol: string, proxy: URL, options: https.AgentOptions): http.Agent {
  return protocol === 'http:' ? new HttpProxyAgent(proxy, options) : new HttpsProxyAgent(proxy, options);
}
