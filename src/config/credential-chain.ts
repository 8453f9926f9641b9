type Variables = Readonly<Record<string, string | undefined>>;

/**
 * The ways to sign in: the credentials that the variables of `@azure/identity` select, a key, or a person who signs in
 * with a code or in a browser.
 */
export const AUTH_KINDS = ['identity', 'key', 'device-code', 'browser'] as const;
/** One of {@link AUTH_KINDS}. */
export type AuthKind = (typeof AUTH_KINDS)[number];

/** In the order in which DefaultAzureCredential tries them. */
const SERVICE_CREDENTIALS = [
  'EnvironmentCredential',
  'WorkloadIdentityCredential',
  'ManagedIdentityCredential',
] as const;
const DEVELOPER_CREDENTIALS = [
  'VisualStudioCodeCredential',
  'AzureCliCredential',
  'AzurePowerShellCredential',
  'AzureDeveloperCliCredential',
] as const;
const ALL = [...SERVICE_CREDENTIALS, ...DEVELOPER_CREDENTIALS];

/** The class name of a credential. */
export type CredentialName = (typeof ALL)[number] | 'DeviceCodeCredential' | 'InteractiveBrowserCredential';

/** The allowed values of AZURE_TOKEN_CREDENTIALS. Case does not matter. */
export const TOKEN_CREDENTIALS: readonly string[] = ['dev', 'prod', ...ALL];

/**
 * Lists the credentials that sign-in tries, in order. A key needs no credential, so the list is then empty.
 * https://aka.ms/azsdk/js/identity/credential-chains
 */
export function credentialChain(auth: AuthKind, variables: Variables): readonly CredentialName[] {
  if (auth === 'key') return [];
  if (auth === 'device-code') return ['DeviceCodeCredential'];
  if (auth === 'browser') return ['InteractiveBrowserCredential'];
  const chosen = variables['AZURE_TOKEN_CREDENTIALS']?.trim().toLowerCase();
  if (!chosen) return ALL;
  if (chosen === 'prod') return SERVICE_CREDENTIALS;
  if (chosen === 'dev') return DEVELOPER_CREDENTIALS;
  return ALL.filter((name) => name.toLowerCase() === chosen);
}
