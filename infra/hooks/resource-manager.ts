import type { TokenCredential } from '@azure/identity';

/** The version of the API of Microsoft.Web that infra/ uses too. */
const API_VERSION = '2024-11-01';

/** Azure Resource Manager, asked as whoever signed in. */
export interface ResourceManager {
  /** Its address in this cloud. */
  readonly url: string;
  readonly credential: TokenCredential;
}

/**
 * Sends a request without a body.
 * @param path - resource id of an app, and what lies below it
 */
export async function askResourceManager(
  { url, credential }: ResourceManager,
  method: 'GET' | 'POST',
  path: string,
): Promise<Response> {
  const token = await credential.getToken(new URL('.default', url).href);
  const target = new URL(`${path.replace(/^\//, '')}?api-version=${API_VERSION}`, url);
  return fetch(target, { method, headers: { authorization: `Bearer ${token?.token}` } });
}
