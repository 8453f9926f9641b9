import type http from 'node:http';
import type https from 'node:https';
import { getProxyForUrl } from 'proxy-from-env';

/** The agent for an address that is asked through a proxy; undefined for one that is asked directly. */
export type AgentFor = (url: URL) => Promise<http.Agent | undefined>;

/**
 * The proxy that HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY name for an address.
 * @returns the proxy's URL, which may hold a password; undefined where there is none
 */
export function proxyFor(url: URL | string): URL | undefined {
  return URL.parse(getProxyForUrl(String(url))) ?? undefined;
}

/** The same for people to read, without its user and password. */
export function proxyName(url: URL | string): string | undefined {
  return proxyFor(url)?.origin;
}

/** Makes agents that go through those proxies. Their library is loaded for the first address that needs it. */
export function proxyAgents(options: https.AgentOptions): AgentFor {
  const agents = new Map<string, Promise<http.Agent>>();
  return async (url) => {
    const proxy = proxyFor(url);
    if (!proxy) return undefined;
    const key = `${url.protocol} ${proxy.href}`;
    const agent = agents.get(key) ?? makeAgent(url.protocol, proxy, options);
    agents.set(key, agent);
    return agent;
  };
}

async function makeAgent(protocol: string, proxy: URL, options: https.AgentOptions): Promise<http.Agent> {
  if (protocol === 'http:') {
    const { HttpProxyAgent } = await import('http-proxy-agent');
    return new HttpProxyAgent(proxy, options);
  }
  const { HttpsProxyAgent } = await import('https-proxy-agent');
  return new HttpsProxyAgent(proxy, options);
}
