import { readFile } from 'node:fs/promises';
import type { CredentialName } from '../config/credential-chain.ts';
import { isRecord, parseJson } from '../config/json-object.ts';
import { causes, connectionFailure } from './connection-failure.ts';
import type { Exchange } from './credential-http.ts';
import type { Said } from './entra-errors.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/** Nothing that this app knows: the class of the error, and where to find the library's own words. */
export function otherwise(error: unknown): Said {
  return {
    said: `failed (${msalCode(error) ?? errorName(error)})`,
    fix: 'start the app with AZURE_LOG_LEVEL=info; its log then has what the library says',
  };
}

/** The variables that a credential needs and has not; undefined if it has all. */
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

/** What is wrong with the file that a credential signs in with, where it has one. The library wraps what `fs` said into prose. */
export async function unreadableFile(credential: CredentialName, variables: Variables): Promise<Said | undefined> {
  if (credential === 'EnvironmentCredential' && !variables['AZURE_CLIENT_SECRET']?.trim()) {
    const text = await readText(variables['AZURE_CLIENT_CERTIFICATE_PATH']);
    if (text === undefined)
      return {
        said: 'the file of AZURE_CLIENT_CERTIFICATE_PATH cannot be read',
        fix: 'check AZURE_CLIENT_CERTIFICATE_PATH and the rights of the file',
      };
    if (!text.includes('-----BEGIN CERTIFICATE-----') || !text.includes('PRIVATE KEY-----'))
      return {
        said: 'the file of AZURE_CLIENT_CERTIFICATE_PATH holds no usable PEM certificate with its key',
        fix: 'put the certificate and its private key, both PEM, into that file',
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
  /** Words of the library where the tool is not there. */
  readonly absent: readonly string[];
  /** The command that signs in; tool and library name it where nobody has. */
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

/** These have neither types nor codes: only whether the tool is there and whether somebody is signed in is read. */
export function toolFailure(credential: CredentialName, error: unknown): Said | undefined {
  const tool = TOOLS[credential];
  if (!tool) return undefined;
  const { name, absent, login } = tool;
  const message = messageOf(error);
  if (!login) return { said: 'not set up' };
  if (absent.some((words) => message.includes(words)))
    return { said: name.includes(' ') ? `${name} is not installed` : `${name} is not installed, or not on the PATH` };
  return message.includes(login) ? { said: 'nobody is signed in', fix: login } : undefined;
}

/** What a person at a terminal or in front of a browser did not do. */
export function personFailure(
  credential: CredentialName,
  error: unknown,
  authority: Exchange | undefined,
): Said | undefined {
  // What Entra answers while it waits for the person: https://www.rfc-editor.org/rfc/rfc8628#section-3.5
  const answer = authority && 'text' in authority ? parseJson(authority.text) : undefined;
  const code = [isRecord(answer) ? answer['error'] : '', msalCode(error)].join(' ');
  if (/authorization_declined|access_denied/.test(code))
    return { said: 'the sign-in was declined', fix: 'ask again, and agree' };
  if (credential === 'DeviceCodeCredential' && /expired|cancelled|timeout/.test(code))
    return { said: 'nobody entered the code in time', fix: 'ask again, and enter the code that is printed' };
  if (credential === 'InteractiveBrowserCredential' && connectionFailure(error).code === 'ENOENT')
    return { said: 'no browser could be opened', fix: 'set AZURE_OPENAI_AUTH=device-code instead' };
  return undefined;
}

/** https://learn.microsoft.com/entra/msal/javascript/node/errors: those of a network, or of an authority that does not exist. */
const NETWORK_CODES: ReadonlySet<string> = new Set([
  'endpoints_resolution_error',
  'openid_config_error',
  'network_error',
  'no_network_connectivity',
]);

/** Why Entra could not be asked; undefined if it answered. */
export function unreachable(error: unknown, authority: Exchange | undefined): Said | undefined {
  if (authority && 'error' in authority) {
    const { code, reason, fix } = connectionFailure(authority.error);
    return {
      said: `Entra could not be reached: ${reason}${code ? ` (${code})` : ''}`,
      fix: `${fix}; check AZURE_AUTHORITY_HOST and the proxy as well`,
    };
  }
  return NETWORK_CODES.has(msalCode(error) ?? '')
    ? {
        said: 'Entra did not answer, or not for this tenant',
        fix: 'check AZURE_TENANT_ID and AZURE_AUTHORITY_HOST, the proxy, and its certificate (NODE_EXTRA_CA_CERTS)',
      }
    : undefined;
}

/** A server's own words may stand where a code is expected. */
const CODE = /^[a-z_]{3,60}$/;

/** The error code of MSAL, in the error, in what caused it, or before the first colon of a wrapped one's description. */
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

/** The name of an error's class. */
export function errorName(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}

/** The words of an error; none if it is no error. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : '';
}
