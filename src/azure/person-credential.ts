import {
  DeviceCodeCredential,
  InteractiveBrowserCredential,
  type TokenCredential,
  type TokenCredentialOptions,
} from '@azure/identity';

/** Someone at a terminal or in front of a browser, who signs in themselves. */
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

/** Not to stdout, where an answer for a program may be expected. */
function tellPerson({ message }: { readonly message: string }): void {
  process.stderr.write(`${message}\n`);
}
