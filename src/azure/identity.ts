import { DefaultAzureCredential, type TokenCredential } from '@azure/identity';
import { credentialChain } from '../config/credential-chain.ts';
import { isLoopback } from '../config/endpoint.ts';
import { once } from '../config/once.ts';
import type { Settings } from '../config/settings.ts';
import { IDENTITY_VARIABLES } from '../config/sign-in.ts';
import { credentialHttp } from './credential-http.ts';
import { TokenSource } from './token-source.ts';

type Variables = Readonly<Record<string, string | undefined>>;

const HANGS_AFTER_MS = 15_000;
/** A person may have to find their second factor first; Entra's codes live as long. */
const PERSON_HANGS_AFTER_MS = 15 * 60_000;

/**
 * Tries of a platform's own identity endpoint after the first. The library makes five after a 404 or 410, which takes 90 s:
 * the metadata service of a virtual machine may need so long, the others never do.
 */
const ENDPOINT_RETRIES = 2;

/** In every cloud: https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory */
const STORAGE_SCOPE = 'https://storage.azure.com/.default';

/** This process's identity as a source of tokens for the model; undefined where a key stands in for it. */
export function createIdentity(settings: Settings, variables: Variables): TokenSource | undefined {
  return settings.auth === 'key' ? undefined : createTokens(settings, variables);
}

/** The same identity as a source of tokens for storage, which no key stands in for. */
export function createStorageIdentity({ auth, authorityHost }: Settings, variables: Variables): TokenSource {
  return createTokens({ auth: auth === 'key' ? 'identity' : auth, authorityHost, scope: STORAGE_SCOPE }, variables);
}

function createTokens(settings: Pick<Settings, 'auth' | 'authorityHost' | 'scope'>, variables: Variables): TokenSource {
  const { auth, scope } = settings;
  const signIn = { chain: credentialChain(auth, variables), variables, exchanges: credentialHttp };
  return new TokenSource({
    scope,
    hangsAfterMs: auth === 'identity' ? HANGS_AFTER_MS : PERSON_HANGS_AFTER_MS,
    create: () => createCredential(settings, variables),
    // Loaded where something fails.
    explain: async (cause) => (await import('./identity-failure.ts')).identityUnavailable(cause, signIn),
  });
}

/**
 * The identity of this process: a managed identity in Azure, whoever is signed in on a developer's machine.
 * Which credential that is, the variables of `@azure/identity` decide, AZURE_TOKEN_CREDENTIALS first of all. Only a
 * person at a terminal is a choice of ours, since the library has no name for that.
 */
export function createCredential(
  { auth, authorityHost }: Pick<Settings, 'auth' | 'authorityHost'>,
  variables: Variables,
): TokenCredential {
  trimVariables();
  const authority = URL.parse(variables['AZURE_AUTHORITY_HOST'] ?? '');
  const options = {
    httpClient: credentialHttp,
    // A local authority is unknown to Entra, so asking Entra about it could only fail.
    disableInstanceDiscovery: authority !== null && isLoopback(authority.hostname),
    ...(variables['IDENTITY_ENDPOINT'] ? { retryOptions: { maxRetries: ENDPOINT_RETRIES } } : {}),
    ...(authorityHost && !variables['AZURE_AUTHORITY_HOST'] ? { authorityHost } : {}),
  };
  const credential =
    auth === 'device-code' || auth === 'browser'
      ? // Loaded when a token is asked for: no app in Azure signs in so.
        once(async () => (await import('./person-credential.ts')).personCredential(auth, options, variables))
      : once(async () => new DefaultAzureCredential(options));
  return {
    async getToken(...asked) {
      credentialHttp.forget();
      return (await credential()).getToken(...asked);
    },
  };
}

/** `@azure/identity` takes its variables as they are, and a value that was copied often has a space or a line end behind it. */
function trimVariables(): void {
  for (const name of IDENTITY_VARIABLES) {
    const value = process.env[name];
    if (value !== undefined && value !== value.trim()) process.env[name] = value.trim();
  }
}
