/** What one credential said, in words of ours, and the step that mends it where there is one. */
export interface Said {
  readonly said: string;
  readonly fix?: string;
}

/** The numbers that people meet, of https://learn.microsoft.com/entra/identity-platform/reference-error-codes */
const KNOWN: Readonly<Record<string, Said>> = {
  '7000215': {
    said: 'the client secret is wrong',
    fix: 'set AZURE_CLIENT_SECRET to the value of the secret, not to its id; a new one: az ad app credential reset --id CLIENT_ID',
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
    fix: 'upload it (az ad app credential reset --id CLIENT_ID --cert @FILE --append), or sign in with the one that is',
  },
  '700211': {
    said: "no federated credential has this token's issuer",
    fix: "set the issuer of the application's federated credential to that of the cluster or workflow",
  },
  '700212': {
    said: "no federated credential has this token's audience",
    fix: 'have the token made for the audience api://AzureADTokenExchange',
  },
  '700213': {
    said: "no federated credential has this token's subject",
    fix: "set the subject of the application's federated credential to the service account, or to the repository and branch",
  },
  '700024': {
    said: 'the assertion has expired',
    fix: "check this machine's clock, and that the file of AZURE_FEDERATED_TOKEN_FILE is renewed",
  },
  '500011': {
    said: 'the tenant does not know what the token is for',
    fix: 'check AZURE_OPENAI_SCOPE, and AZURE_AUTHORITY_HOST in a sovereign cloud',
  },
  '50076': {
    said: 'a second factor is asked for',
    fix: 'sign in again: az login --scope https://cognitiveservices.azure.com/.default',
  },
  '50079': { said: 'a second factor is to be set up', fix: 'sign in again: az login' },
  '53003': { said: 'a Conditional Access policy blocks this', fix: 'ask who administers the tenant' },
  '65001': {
    said: 'nobody has consented to this application',
    fix: 'ask who administers the tenant, or leave AZURE_CLIENT_ID unset',
  },
  '700082': { said: 'the sign-in has expired', fix: 'sign in again: az login' },
  '70043': { said: 'the sign-in has expired', fix: 'sign in again: az login' },
  '70018': { said: 'the sign-in was declined', fix: 'ask again, and agree' },
  '70020': { said: 'nobody entered the code in time', fix: 'ask again, and enter the code that is printed' },
};

/** Finds Entra's number in what a library says, and says what it means. */
export function entraError(message: string): Said | undefined {
  const [, number] = /AADSTS(\d+)/.exec(message) ?? [];
  if (!number) return undefined;
  const known = KNOWN[number];
  if (known) return { ...known, said: `${known.said} (AADSTS${number})` };
  return {
    said: `Entra refused (AADSTS${number})`,
    fix: `look it up: https://login.microsoftonline.com/error?code=${number}`,
  };
}
