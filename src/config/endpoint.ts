/** The address of the model, and what follows from the cloud that it belongs to. */
export interface Endpoint {
  readonly url: string;
  /** The scope to request tokens for. */
  readonly scope: string;
  /** The sign-in host of a sovereign cloud. Undefined elsewhere: `@azure/identity` then uses the public one. */
  readonly authorityHost: string | undefined;
  /** The suffix of storage hosts in that cloud, such as `core.windows.net`. */
  readonly storageSuffix: string;
}

/**
 * The token scope, sign-in host and storage suffix of each sovereign cloud, by its domain. Sources:
 * https://learn.microsoft.com/azure/azure-government/compare-azure-government-global-azure
 * https://learn.microsoft.com/azure/china/resources-developer-guide
 */
const SOVEREIGN_CLOUDS: readonly (readonly [domain: string, scope: string, authorityHost: string, storage: string])[] =
  [
    [
      '.azure.us',
      'https://cognitiveservices.azure.us/.default',
      'https://login.microsoftonline.us',
      'core.usgovcloudapi.net',
    ],
    [
      '.azure.cn',
      'https://cognitiveservices.azure.cn/.default',
      'https://login.chinacloudapi.cn',
      'core.chinacloudapi.cn',
    ],
  ];
const PUBLIC_SCOPE = 'https://cognitiveservices.azure.com/.default';
const PUBLIC_STORAGE = 'core.windows.net';

/** Hosts of Azure itself. Their URLs have no path, but that of a user's own gateway may have one. */
const AZURE_HOST = /\.(?:openai|cognitiveservices|services\.ai)\.azure\.(?:com|us|cn)$/;
/**
 * Hosts that all resources of a region share. They accept only keys.
 * https://learn.microsoft.com/azure/ai-services/cognitive-services-custom-subdomains
 */
const REGIONAL_HOST = /\.api\.cognitive\.microsoft\.(?:com|us)$|\.api\.cognitive\.azure\.cn$/;

/**
 * Reads an endpoint setting.
 * @returns the endpoint, or what is wrong with it and how to fix it, to follow the setting's name in a sentence
 */
export function parseEndpoint(text: string): Endpoint | string {
  const shape = 'It looks like https://NAME.openai.azure.com/ (portal: your Azure OpenAI resource, Keys and Endpoint).';
  const url = URL.parse(text);
  if (!url) return `is not a URL. ${shape}`;
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url.hostname))) {
    return `must begin with https://, or a token could be read on the way. ${shape}`;
  }
  if (url.username || url.password || url.search || url.hash) {
    return `must be the address alone, with no user, query or fragment. ${shape}`;
  }
  if (REGIONAL_HOST.test(url.hostname)) {
    return (
      'is a regional endpoint, which accepts no tokens. Give the resource a custom subdomain ' +
      '(az cognitiveservices account update --name NAME --resource-group GROUP --custom-domain NAME) ' +
      'and use https://NAME.openai.azure.com/.'
    );
  }
  if (AZURE_HOST.test(url.hostname) && url.pathname !== '/') {
    return `must end after the host: use ${url.origin}/. The deployment and the API version are separate settings.`;
  }
  const [, scope = PUBLIC_SCOPE, authorityHost, storageSuffix = PUBLIC_STORAGE] =
    SOVEREIGN_CLOUDS.find(([domain]) => url.hostname.endsWith(domain)) ?? [];
  return { url: url.href, scope, authorityHost, storageSuffix };
}

/** Whether a host name is this machine's loopback. Plain http to it never leaves the machine. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}
