import { DefaultAzureCredential, type TokenCredential } from '@azure/identity';
import { once } from '../config/once.ts';
import type { Settings } from '../config/settings.ts';
import { isLoopback } from '../config/endpoint.ts';
import { identityHttp } from './identity-http.ts';

/**
 * The identity of this process: a managed identity in Azure, whoever is signed in on a developer's machine.
 * Which credential that is, is up to the variables of `@azure/identity` itself, AZURE_TOKEN_CREDENTIALS first of all;
 * only a person at a terminal is a choice of ours, since it has no name for that.
 */
export function createCredential(
  { auth, authorityHost }: Pick<Settings, 'auth' | 'authorityHost'>,
  variables: Readonly<Record<string, string | undefined>>,
): TokenCredential {
  const authority = URL.parse(variables['AZURE_AUTHORITY_HOST'] ?? '');
  const options = {
    httpClient: identityHttp(),
    // A local authority is unknown to Entra, so asking Entra about it could only fail.
    disableInstanceDiscovery: authority !== null && isLoopback(authority.hostname),
    ...(authorityHost && !variables['AZURE_AUTHORITY_HOST'] ? { authorityHost } : {}),
  };
  if (auth !== 'device-code' && auth !== 'browser') return new DefaultAzureCredential(options);

  // Loaded when a token is asked for: no app in Azure signs in so.
  const person = once(async () => (await import('./person-credential.ts')).personCredential(auth, options, variables));
  return { getToken: async (...asked) => (await person()).getToken(...asked) };
}
