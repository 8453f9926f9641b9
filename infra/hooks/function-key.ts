import type { TokenCredential } from '@azure/identity';
import * as v from 'valibot';

const Keys = v.object({ functionKeys: v.object({ default: v.pipe(v.string(), v.minLength(1)) }) });

/**
 * Asks Azure Resource Manager for the app's default function key. It is kept in memory only, for one request.
 * @param resourceManager address of Azure Resource Manager in this cloud
 * @param app resource id of the app
 * @throws {Error} when whoever is signed in may not read it, or there is none yet
 */
export async function functionKey(resourceManager: string, app: string, credential: TokenCredential): Promise<string> {
  const token = await credential.getToken(new URL('.default', resourceManager).href);
  const url = new URL(`${app.replace(/^\//, '')}/host/default/listKeys?api-version=2024-11-01`, resourceManager);
  const response = await fetch(url, { method: 'POST', headers: { authorization: `Bearer ${token?.token}` } });
  if (!response.ok)
    throw new Error(
      `The function key cannot be read: Azure answered ${response.status}. It takes the role Contributor on the app.`,
    );
  return v.parse(Keys, await response.json()).functionKeys.default;
}
