/** Why a credential failed, in the app's own words, and how to fix it. Without `fix`, it counts as not set up. */
export interface FailureReason {
  readonly said: string;
  readonly fix?: string;
}

/** The most common error numbers: https://learn.microsoft.com/entra/identity-platform/reference-error-codes */
const KNOWN: Readonly<Record<string, FailureReason>> = {
  '7000215': {
    said: 'the client secret is wrong',
    fix:
      'set AZURE_CLIENT_SECRET to the value of the secret, not its id; for a new one: az ad app ' +
      'credential reset --id CLIENT_ID',
  },
  '7000222': {
    said: 'the client secret has expired',
    fix: 'make a new one (az ad app credential reset --id CLIENT_ID) and set AZURE_CLIENT_SECRET to it',
  },
  '700016': {
    said: 'the tenant has no such application',
    fix: 'check AZURE_CLIENT_ID, and that AZURE_TENANT_ID is the tenant where it is registered',
  },
  '90002': {
    said: 'there is no such tenant',
    fix: 'check AZURE_TENANT_ID, and AZURE_AUTHORITY_HOST in a sovereign cloud',
  },
  '700027': {
    said: 'the certificate is not registered on the application',
    fix: 'upload it (az ad app credential reset --id CLIENT_ID --cert @FILE --append), or use the registered one',
  },
  '700211': {
    said: "no federated credential has this token's issuer",
    fix: "set the issuer of the application's federated credential to the issuer of the cluster or workflow",
  },
  '700212': {
    said: "no federated credential has this token's audience",
    fix: 'request the token for the audience api://AzureADTokenExchange',
  },
  '700213': {
    said: "no federated credential has this token's subject",
    fix:
      "set the subject of the application's federated credential to the service account, or to the " +
      'repository and branch',
  },
  '700024': {
    said: 'the assertion has expired',
    fix: "check this machine's clock, and that the file of AZURE_FEDERATED_TOKEN_FILE is kept up to date",
  },
  '500011': {
    said: 'the tenant does not know the resource that the token is for',
    fix: 'check AZURE_OPENAI_SCOPE, and AZURE_AUTHORITY_HOST in a sovereign cloud',
  },
  '50076': {
    said: 'a second factor is required',
    fix: 'sign in again: az login --scope https://cognitiveservices.azure.com/.default',
  },
  '50079': { said: 'a second factor must be set up', fix: 'sign in again: az login' },
  '53003': { said: 'a Conditional Access policy blocks this', fix: 'ask an administrator of the tenant' },
  '65001': {
    said: 'nobody has consented to this application',
    fix: 'ask an administrator of the tenant, or leave AZURE_CLIENT_ID unset',
  },
  '700082': { said: 'the sign-in has expired', fix: 'sign in again: az login' },
  '70043': { said: 'the sign-in has expired', fix: 'sign in again: az login' },
  '70018': { said: 'the sign-in was declined', fix: 'try again and accept' },
  '70020': { said: 'nobody entered the code in time', fix: 'try again and enter the code that is printed' },
};

/** Finds Entra's error number in a message, and says what it means. Returns undefined if there is none. */
export function entraError(message: string): FailureReason | undefined {
  const [, number] = /AADSTS(\d+)/.exec(message) ?? [];
  if (!number) return undefined;
  const known = KNOWN[number];
  if (known) return { ...known, said: `${known.said} (AADSTS${number})` };
  return {
    said: `Entra refused (AADSTS${number})`,
    fix: `look it up: https://login.microsoftonline.com/error?code=${number}`,
  };
}
