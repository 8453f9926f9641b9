import { AUTH_KINDS, type AuthKind, TOKEN_CREDENTIALS } from './credential-chain.ts';
import type { Environment } from './environment.ts';

/** What callers of the protected routes must send: a function key, an Entra token, or nothing. */
export type AuthLevel = 'function' | 'token' | 'anonymous';

/** Variables of `@azure/identity` whose valid values never start or end with white space or quotes. */
export const IDENTITY_VARIABLES = [
  'AZURE_CLIENT_ID',
  'AZURE_TENANT_ID',
  'AZURE_CLIENT_SECRET',
  'AZURE_CLIENT_CERTIFICATE_PATH',
  'AZURE_FEDERATED_TOKEN_FILE',
  'AZURE_AUTHORITY_HOST',
  'AZURE_TOKEN_CREDENTIALS',
] as const;

/** How this app signs in. */
export interface SignInSettings {
  readonly auth: AuthKind;
  /** Set only if `auth` is `key`. */
  readonly apiKey: string | undefined;
}

/** Reads how this app signs in. In Azure it must use its identity. The other ways are for a developer's machine. */
export function readSignIn(environment: Environment, inAzure: boolean, notes: string[]): SignInSettings {
  checkIdentityVariables(environment);
  checkProxies(environment);
  const auth = environment.oneOf('AZURE_OPENAI_AUTH', AUTH_KINDS, 'identity');
  const key = environment.text('AZURE_OPENAI_API_KEY');
  if (inAzure) {
    if (key)
      environment.fault('AZURE_OPENAI_API_KEY', 'must not be set in Azure: remove it, the managed identity signs in.');
    if (auth !== 'identity') environment.fault('AZURE_OPENAI_AUTH', 'must be identity in Azure: remove it.');
    return { auth, apiKey: undefined };
  }
  if (auth === 'key') {
    if (!key)
      environment.fault(
        'AZURE_OPENAI_API_KEY',
        'is not set, but AZURE_OPENAI_AUTH=key needs it. Better: remove both and run az login.',
      );
    else
      notes.push(
        'AZURE_OPENAI_AUTH=key: the app calls the model with a key. Use one only on this machine, for a first look.',
      );
    return { auth, apiKey: key };
  }
  if (key) notes.push('AZURE_OPENAI_API_KEY is set and ignored: this app signs in with an identity.');
  return { auth, apiKey: undefined };
}

/**
 * Checks the proxies at startup, because the proxy libraries accept any text and fail only at the first request. A
 * fault never repeats the value, which may contain a password.
 */
function checkProxies(environment: Environment): void {
  for (const name of ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy']) {
    const value = environment.text(name);
    if (value && !/^https?:$/.test(URL.parse(value)?.protocol ?? ''))
      environment.fault(name, 'must be the URL of an HTTP proxy, such as http://proxy.example:8080.');
  }
}

/** Checks values that make `@azure/identity` skip a credential without saying why. */
function checkIdentityVariables(environment: Environment): void {
  const quoted = IDENTITY_VARIABLES.filter((name) => /^["'].*["']$/s.test(environment.text(name) ?? ''));
  for (const name of quoted) environment.fault(name, 'must not be in quotes: remove them.');
  if (quoted.length > 0) return;
  const chosen = environment.text('AZURE_TOKEN_CREDENTIALS')?.toLowerCase();
  if (chosen && !TOKEN_CREDENTIALS.some((name) => name.toLowerCase() === chosen)) {
    environment.fault('AZURE_TOKEN_CREDENTIALS', `must be one of: ${TOKEN_CREDENTIALS.join(', ')}.`);
  }
  const authority = environment.text('AZURE_AUTHORITY_HOST');
  if (authority && URL.parse(authority)?.protocol !== 'https:') {
    environment.fault('AZURE_AUTHORITY_HOST', 'must begin with https://, such as https://login.microsoftonline.us.');
  }
  const tenant = environment.text('AZURE_TENANT_ID');
  if (tenant && !/^[\da-z.-]+$/i.test(tenant)) {
    environment.fault(
      'AZURE_TENANT_ID',
      'must be the id or a domain of the tenant (az account show --query tenantId).',
    );
  }
}
