import {
  DeviceCodeCredential,
  InteractiveBrowserCredential,
  type TokenCredential,
  type TokenCredentialOptions,
} from '@azure/identity';

/** Makes the credential of a person who signs in with a code or in a browser. */
export function personCredential(
  auth: 'device-code' | 'browser',
  options: TokenCredentialOptions,
  variables: Readonly<Record<string, string | undefined>>,
): TokenCredential {
  const { AZURE_TENANT_ID: tenantId, AZURE_CLIENT_ID: clientId } = variables;
  const person = { ...options, ...(tenantId ? { tenantId } : {}), ...(clientId ? { clientId } : {}) };
  return auth === 'device-code'
    ? new DeviceCodeCredential({ ...person, userPromptCallback: tellPerson })
    : new InteractiveBrowserCredential(person);
}

/** Prints to stderr, because another program may read stdout. */
function tellPerson({ message }: { readonly message: string }): void {
  process.stderr.write(`${message}\n`);
}
