type Variables = Readonly<Record<string, string | undefined>>;

/** How this app signs in: the credentials of `@azure/identity` as its own variables choose, a key, or a person at a terminal. */
export const AUTH_KINDS = ['identity', 'key', 'device-code', 'browser'] as const;
/** One of them. */
export type AuthKind = (typeof AUTH_KINDS)[number];

/** The order of DefaultAzureCredential. */
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

/** A credential by the name of its class. */
export type CredentialName = (typeof ALL)[number] | 'DeviceCodeCredential' | 'InteractiveBrowserCredential';

/** What AZURE_TOKEN_CREDENTIALS may say; its case does not matter. */
export const TOKEN_CREDENTIALS: readonly string[] = ['dev', 'prod', ...ALL];

/** The credentials that are tried, in their order: https://aka.ms/azsdk/js/identity/credential-chains */
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
