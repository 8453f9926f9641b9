import { DefaultAzureCredential, type TokenCredential } from '@azure/identity';
import { isLoopback } from './endpoint.ts';

/**
 * The identity of this process: a managed identity in Azure, whoever is signed in on a developer's machine.
 * Which credential that is, is up to the variables of `@azure/identity` itself, AZURE_TOKEN_CREDENTIALS first of all.
 */
export function createCredential(variables: Readonly<Record<string, string | undefined>>): TokenCredential {
  // A local authority is unknown to Entra, so asking Entra about it could only fail.
  const authority = URL.parse(variables['AZURE_AUTHORITY_HOST'] ?? '');
  return new DefaultAzureCredential({ disableInstanceDiscovery: authority !== null && isLoopback(authority.hostname) });
}
