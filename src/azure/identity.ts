import { DefaultAzureCredential, type TokenCredential } from '@azure/identity';
import { credentialChain } from '../config/credential-chain.ts';
import { isLoopback } from '../config/endpoint.ts';
import { once } from '../config/once.ts';
import type { Settings } from '../config/settings.ts';
import { IDENTITY_VARIABLES } from '../config/sign-in.ts';
import { credentialHttp } from './credential-http.ts';
import { TokenSource } from './token-source.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/** See {@link TokenSourceOptions.hangsAfterMs}. */
const HANGS_AFTER_MS = 15_000;
/** A person may need time for a second factor. Entra's device codes are valid for 15 minutes. */
const PERSON_HANGS_AFTER_MS = 15 * 60_000;

/**
 * Retries of an identity endpoint that IDENTITY_ENDPOINT names. The library's default after a 404 or 410 is five
 * retries in 90 s. Only the metadata service of a virtual machine may need that long.
 */
const ENDPOINT_RETRIES = 2;

/** For every cloud: https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory */
const STORAGE_SCOPE = 'https://storage.azure.com/.default';

/** Makes the source of tokens for the model. Returns undefined if the app uses a key. */
export function createIdentity(settings: Settings, variables: Variables): TokenSource | undefined {
  return settings.auth === 'key' ? undefined : createTokens(settings, variables);
}

/** Makes the source of tokens for storage. Even with a key for the model, storage needs an identity. */
export function createStorageIdentity({ auth, authorityHost }: Settings, variables: Variables): TokenSource {
  return createTokens({ auth: auth === 'key' ? 'identity' : auth, authorityHost, scope: STORAGE_SCOPE }, variables);
}

function createTokens(settings: Pick<Settings, 'auth' | 'authorityHost' | 'scope'>, variables: Variables): TokenSource {
  const { auth, scope } = settings;
  const signIn = { chain: credentialChain(auth, variables), variables, lastResults: credentialHttp };
  return new TokenSource({
    scope,
    hangsAfterMs: auth === 'identity' ? HANGS_AFTER_MS : PERSON_HANGS_AFTER_MS,
    create: () => createCredential(settings, variables),
    // Loaded only after a failure.
    explain: async (cause) => (await import('./identity-failure.ts')).identityUnavailable(cause, signIn),
  });
}

/**
 * Makes the credential of this process: a managed identity in Azure, or the signed-in user on a developer's machine.
 * The variables of `@azure/identity` select it, mainly AZURE_TOKEN_CREDENTIALS. Those cannot select a device code or a
 * browser, so AZURE_OPENAI_AUTH does.
 */
export function createCredential(
  { auth, authorityHost }: Pick<Settings, 'auth' | 'authorityHost'>,
  variables: Variables,
): TokenCredential {
  trimVariables();
  const authority = URL.parse(variables['AZURE_AUTHORITY_HOST'] ?? '');
  const options = {
    httpClient: credentialHttp,
    // The library would ask Entra whether the authority is known. For a local authority, that always fails.
    disableInstanceDiscovery: authority !== null && isLoopback(authority.hostname),
    ...(variables['IDENTITY_ENDPOINT'] ? { retryOptions: { maxRetries: ENDPOINT_RETRIES } } : {}),
    ...(authorityHost && !variables['AZURE_AUTHORITY_HOST'] ? { authorityHost } : {}),
  };
  const credential =
    auth === 'device-code' || auth === 'browser'
      ? // Loaded only when needed, because an app in Azure never signs in this way.
        once(async () => (await import('./person-credential.ts')).personCredential(auth, options, variables))
      : once(async () => new DefaultAzureCredential(options));
  return {
    async getToken(...asked) {
      credentialHttp.forget();
      return (await credential()).getToken(...asked);
    },
  };
}

/** Trims the variables, because `@azure/identity` does not, and copied values often end with white space. */
function trimVariables(): void {
  for (const name of IDENTITY_VARIABLES) {
    const value = process.env[name];
    if (value !== undefined && value !== value.trim()) process.env[name] = value.trim();
  }
}
