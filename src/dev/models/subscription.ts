import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const GUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** The subscription of the setting, or else the one that the Azure CLI is set to; undefined where neither tells. */
export async function findSubscription(
  variables: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  const set = variables['AZURE_SUBSCRIPTION_ID']?.trim();
  if (set) return set;
  try {
    const { stdout } = await promisify(execFile)('az', ['account', 'show', '--query', 'id', '--output', 'tsv']);
    return GUID.test(stdout.trim()) ? stdout.trim() : undefined;
  } catch {
    return undefined; // not installed, or nobody is signed in
  }
}
