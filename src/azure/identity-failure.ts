import { Problem } from '../problem.ts';

/** `ManagedIdentityCredential: …`, as every credential of @azure/identity begins what it says. */
const CREDENTIAL_NAME = /^(?:CredentialUnavailableError:\s*)?(\w+Credential)\b/;

/** No token: names the credentials that were tried. What each said goes to the log only, as `cause`. */
export function identityUnavailable(cause: unknown): Problem {
  const tried = credentialsTried(cause);
  const who = tried.length > 0 ? `These credentials were tried: ${tried.join(', ')}.` : 'No credential answered in time.';
  return new Problem(
    'identity_unavailable',
    `The service could not sign in to Azure. ${who} In Azure, switch on the app's system-assigned identity; ` +
      'on your own machine, run az login. Then try again.',
    { members: { credentials: tried }, headers: { 'retry-after': '10' }, cause },
  );
}

function credentialsTried(error: unknown): readonly string[] {
  if (!(error instanceof Error)) return [];
  // AggregateAuthenticationError, from a chain in which every credential failed, lists one error for each.
  const errors: readonly unknown[] = 'errors' in error && Array.isArray(error.errors) ? error.errors : [error];
  const names = errors.flatMap((each) => (each instanceof Error ? (CREDENTIAL_NAME.exec(each.message)?.[1] ?? []) : []));
  return [...new Set(names)];
}
