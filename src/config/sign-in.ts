import { AUTH_KINDS, type AuthKind, TOKEN_CREDENTIALS } from './credential-chain.ts';
import type { Environment } from './environment.ts';

/** What callers of the protected routes must bring: a function key, an Entra token, or nothing. */
export type AuthLevel = 'function' | 'token' | 'anonymous';

/** The variables of `@azure/identity` that hold an id, an address or a path; none of those begins or ends with white space or quotes. */
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
  /** Set only where the key is asked for. */
  readonly apiKey: string | undefined;
}

/** Reads how this app signs in. In Azure that is its identity and nothing else; the rest is for a developer's machine. */
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
        'is not set, and AZURE_OPENAI_AUTH=key asks for it. Better: remove both and run az login.',
      );
    else notes.push('AZURE_OPENAI_AUTH=key: calling the model with a key. Good for a first look on this machine only.');
    return { auth, apiKey: key };
  }
  if (key) notes.push('AZURE_OPENAI_API_KEY is set and ignored: this app signs in with an identity.');
  return { auth, apiKey: undefined };
}

/** The libraries take any text for a proxy, and fail at the first request. Its value may hold a password, and is never repeated. */
function checkProxies(environment: Environment): void {
  for (const name of ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy']) {
    const value = environment.text(name);
    if (value && !/^https?:$/.test(URL.parse(value)?.protocol ?? ''))
      environment.fault(name, 'must be the URL of an HTTP proxy, such as http://proxy.example:8080.');
  }
}

/** What `@azure/identity` would answer by leaving credentials out, for a reason that nobody gets to see. */
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
