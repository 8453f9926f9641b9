import type http from 'node:http';
import type https from 'node:https';
import { getProxyForUrl } from 'proxy-from-env';

/** What a request needs in its options to go through the proxy of its address; nothing if it has none. */
type ProxyOptions = (url: URL) => Promise<Pick<https.RequestOptions, 'agent' | 'checkServerIdentity'>>;

/**
 * The proxy that HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY name for an address.
 * @returns the proxy's URL, which may hold a password; undefined where there is none
 */
function proxyFor(url: URL | string): URL | undefined {
  return URL.parse(getProxyForUrl(String(url))) ?? undefined;
}

/** The same for people to read, without its user and password. */
export function proxyName(url: URL | string): string | undefined {
  return proxyFor(url)?.origin;
}

/** Makes agents that go through those proxies. Their library is loaded for the first address that needs it. */
export function proxyOptions(options: https.AgentOptions): ProxyOptions {
  const agents = new Map<string, http.Agent>();
  return async (url) => {
    const proxy = proxyFor(url);
    if (!proxy) return {};
    const key = `${url.protocol} ${proxy.href}`;
    const [{ checkServerIdentity }, { proxyAgent }] = await Promise.all([
      import('node:tls'),
      import('./proxy-agent.ts'),
    ]);
    const agent = agents.get(key) ?? proxyAgent(url.protocol, proxy, options);
    agents.set(key, agent);
    return {
      agent,
      // The agent tells TLS the name of a host, but not an IP address, which would then be compared with "localhost".
      checkServerIdentity: (_, certificate) => checkServerIdentity(url.hostname.replaceAll(/[[\]]/g, ''), certificate),
    };
  };
}
