import type http from 'node:http';
import type https from 'node:https';
import { getProxyForUrl } from 'proxy-from-env';

/** Returns the request options for the proxy of a URL. They are empty if the URL has no proxy. */
type ProxyOptions = (url: URL) => Promise<Pick<https.RequestOptions, 'agent' | 'checkServerIdentity'>>;

/**
 * Finds the proxy for a URL in HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY.
 * @returns the proxy's URL, which may contain a password; undefined if there is no proxy for the URL
 */
function proxyFor(url: URL | string): URL | undefined {
  return URL.parse(getProxyForUrl(String(url))) ?? undefined;
}

/** Returns the origin of the proxy for a URL, without user and password. Returns undefined if there is no proxy. */
export function proxyName(url: URL | string): string | undefined {
  return proxyFor(url)?.origin;
}

/** Makes a function that returns request options for the proxy of a URL. It loads the proxy library when needed. */
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
      // The agent does not pass an IP address on to TLS, which would then compare the certificate with "localhost".
      checkServerIdentity: (_, certificate) => checkServerIdentity(url.hostname.replaceAll(/[[\]]/g, ''), certificate),
    };
  };
}
