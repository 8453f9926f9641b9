import { readFile } from 'node:fs/promises';
import type { CredentialName } from '../config/credential-chain.ts';
import { isRecord, parseJson } from '../config/json-object.ts';
import { causes, connectionFailure } from './connection-failure.ts';
import type { SignInResult } from './credential-http.ts';
import type { FailureReason } from './entra-errors.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/** Describes an unknown error: its code or class, and how to see the library's own message. */
export function unknownFailure(error: unknown): FailureReason {
  return {
    said: `failed (${msalCode(error) ?? errorName(error)})`,
    fix: "start the app with AZURE_LOG_LEVEL=info; its log then has the library's own message",
  };
}

/** Names the variables that a credential needs. Returns undefined if they are all set, or if it needs none. */
export function missingVariables(credential: CredentialName, variables: Variables): string | undefined {
  const has = (...names: string[]): boolean => names.every((name) => variables[name]?.trim());
  switch (credential) {
    case 'EnvironmentCredential':
      return has('AZURE_TENANT_ID', 'AZURE_CLIENT_ID') &&
        (has('AZURE_CLIENT_SECRET') || has('AZURE_CLIENT_CERTIFICATE_PATH'))
        ? undefined
        : 'AZURE_TENANT_ID, AZURE_CLIENT_ID, and AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH';
    case 'WorkloadIdentityCredential':
      return has('AZURE_TENANT_ID', 'AZURE_CLIENT_ID', 'AZURE_FEDERATED_TOKEN_FILE')
        ? undefined
        : 'AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_FEDERATED_TOKEN_FILE';
    default:
      return undefined;
  }
}

/**
 * Says what is wrong with the file that a credential reads. Returns undefined if the credential reads no file, or the
 * file is good. The file is read here again, because the library's error does not keep the code of Node's.
 */
export async function unreadableFile(
  credential: CredentialName,
  variables: Variables,
): Promise<FailureReason | undefined> {
  if (credential === 'EnvironmentCredential' && !variables['AZURE_CLIENT_SECRET']?.trim()) {
    const text = await readText(variables['AZURE_CLIENT_CERTIFICATE_PATH']);
    if (text === undefined)
      return {
        said: 'the file of AZURE_CLIENT_CERTIFICATE_PATH cannot be read',
        fix: "check AZURE_CLIENT_CERTIFICATE_PATH and the file's permissions",
      };
    if (!text.includes('-----BEGIN CERTIFICATE-----') || !text.includes('PRIVATE KEY-----'))
      return {
        said: 'the file of AZURE_CLIENT_CERTIFICATE_PATH does not contain a PEM certificate and its private key',
        fix: 'put the certificate and its private key into that file, both in PEM format',
      };
  }
  if (credential === 'WorkloadIdentityCredential' && !(await readText(variables['AZURE_FEDERATED_TOKEN_FILE'])))
    return {
      said: 'the file of AZURE_FEDERATED_TOKEN_FILE cannot be read or is empty',
      fix: 'check AZURE_FEDERATED_TOKEN_FILE; on AKS, label the pod azure.workload.identity/use: "true"',
    };
  return undefined;
}

async function readText(path = ''): Promise<string | undefined> {
  try {
    return (await readFile(path.trim(), 'utf8')).trim();
  } catch {
    return undefined;
  }
}

interface Tool {
  readonly name: string;
  /** Words in the library's message if the tool is not installed. */
  readonly absent: readonly string[];
  /** The command that signs in. The message contains it if nobody is signed in. */
  readonly login: string;
}

const TOOLS: Readonly<Partial<Record<CredentialName, Tool>>> = {
  VisualStudioCodeCredential: { name: 'Visual Studio Code', absent: [''], login: '' },
  AzureCliCredential: { name: 'az', absent: ['could not be found'], login: 'az login' },
  AzurePowerShellCredential: {
    name: 'PowerShell or its Az.Accounts module',
    absent: ['Unable to execute', 'not installed', 'module'],
    login: 'Connect-AzAccount',
  },
  AzureDeveloperCliCredential: { name: 'azd', absent: ["couldn't be found"], login: 'azd auth login' },
};

/**
 * Says why a developer's tool gave no token. These errors have neither types nor codes, so only two causes are read
 * from their message: the tool is not installed, or nobody is signed in.
 */
export function toolFailure(credential: CredentialName, error: unknown): FailureReason | undefined {
  const tool = TOOLS[credential];
  if (!tool) return undefined;
  const { name, absent, login } = tool;
  const message = messageOf(error);
  if (!login) return { said: 'not set up' };
  if (absent.some((words) => message.includes(words)))
    return { said: name.includes(' ') ? `${name} is not installed` : `${name} is not installed, or not on the PATH` };
  return message.includes(login) ? { said: 'nobody is signed in', fix: login } : undefined;
}

/** Says why a person at a terminal or in a browser is not signed in. */
export function personFailure(
  credential: CredentialName,
  error: unknown,
  authority: SignInResult | undefined,
): FailureReason | undefined {
  // Entra's answers while it waits for the person: https://www.rfc-editor.org/rfc/rfc8628#section-3.5
  const answer = authority && 'text' in authority ? parseJson(authority.text) : undefined;
  const code = [isRecord(answer) ? answer['error'] : '', msalCode(error)].join(' ');
  if (/authorization_declined|access_denied/.test(code))
    return { said: 'the sign-in was declined', fix: 'try again and accept' };
  if (credential === 'DeviceCodeCredential' && /expired|cancelled|timeout/.test(code))
    return { said: 'nobody entered the code in time', fix: 'try again and enter the code that is printed' };
  if (credential === 'InteractiveBrowserCredential' && connectionFailure(error).code === 'ENOENT')
    return { said: 'no browser could be opened', fix: 'set AZURE_OPENAI_AUTH=device-code instead' };
  return undefined;
}

/**
 * MSAL's codes for network errors and for an authority that does not exist:
 * https://learn.microsoft.com/entra/msal/javascript/node/errors
 */
const NETWORK_CODES: ReadonlySet<string> = new Set([
  'endpoints_resolution_error',
  'openid_config_error',
  'network_error',
  'no_network_connectivity',
]);

/** Says why Entra could not be reached. Returns undefined if it answered. */
export function unreachable(error: unknown, authority: SignInResult | undefined): FailureReason | undefined {
  if (authority && 'error' in authority) {
    const { code, reason, fix } = connectionFailure(authority.error);
    return {
      said: `Entra could not be reached: ${reason}${code ? ` (${code})` : ''}`,
      fix: `${fix}; also check AZURE_AUTHORITY_HOST and the proxy`,
    };
  }
  return NETWORK_CODES.has(msalCode(error) ?? '')
    ? {
        said: 'Entra did not answer, or does not know this tenant',
        fix: 'check AZURE_TENANT_ID and AZURE_AUTHORITY_HOST, the proxy, and its certificate (NODE_EXTRA_CA_CERTS)',
      }
    : undefined;
}

/** The form of a code. Some servers send other text in its place, which must not be passed on. */
const CODE = /^[a-z_]{3,60}$/;

/** Finds MSAL's code in an error or its causes: as its own member, or before the first colon of the description. */
export function msalCode(error: unknown): string | undefined {
  for (const cause of causes(error)) {
    const own = cause instanceof Error && 'errorCode' in cause ? String(cause.errorCode) : '';
    if (CODE.test(own)) return own;
    const response = cause instanceof Error && 'errorResponse' in cause ? cause.errorResponse : undefined;
    const description = isRecord(response) ? response['errorDescription'] : undefined;
    const [, code] = typeof description === 'string' ? (/^([a-z_]+): /.exec(description) ?? []) : [];
    if (code) return code;
  }
  return undefined;
}

/** Returns the name of an error's class, or the type of anything else that was thrown. */
export function errorName(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}

/** Returns the message of an error, or an empty string for anything else that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : '';
}
