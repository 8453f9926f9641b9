import * as v from 'valibot';
import { askResourceManager, type ResourceManager } from './resource-manager.ts';

const Keys = v.object({ functionKeys: v.object({ default: v.pipe(v.string(), v.minLength(1)) }) });

/**
 * Asks Azure Resource Manager for the app's default function key. It is kept in memory only, for one request.
 * @param app - resource id of the app
 * @throws {Error} when whoever is signed in may not read it, or there is none yet
 */
export async function functionKey(manager: ResourceManager, app: string): Promise<string> {
  const response = await askResourceManager(manager, 'POST', `${app}/host/default/listKeys`);
  if (!response.ok)
    throw new Error(
      `The function key cannot be read: Azure answered ${response.status}. It takes the role Contributor on the app.`,
    );
  return v.parse(Keys, await response.json()).functionKeys.default;
}
