import type { CredentialName } from '../config/credential-chain.ts';
import { entraError, type Said } from './entra-errors.ts';

/** What became of one credential. */
export interface Attempt extends Said {
  readonly credential: CredentialName;
  /** Whether somebody meant it to work: a chain tries credentials that nobody has set up. */
  readonly setUp: boolean;
}

type Pattern = readonly [pattern: RegExp, said: string, fix?: string];

const UNREACHABLE: Pattern = [
  /endpoints_resolution_error|network_error|ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|CERT/,
  'Entra did not answer, or not for this tenant',
  'check AZURE_TENANT_ID and AZURE_AUTHORITY_HOST, the proxy, and its certificate (NODE_EXTRA_CA_CERTS)',
];

/** How each is recognised, and what it says when nobody has set it up, or when it fails. Nothing of the library's words is passed on. */
const CREDENTIALS: Readonly<
  Record<
    CredentialName,
    { readonly own: RegExp; readonly absent: Pattern; readonly failures: readonly Pattern[]; readonly otherwise?: Said }
  >
> = {
  EnvironmentCredential: {
    own: /^EnvironmentCredential/,
    absent: [
      /No underlying credential/,
      'not set up: needs AZURE_TENANT_ID, AZURE_CLIENT_ID, and AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH',
    ],
    failures: [
      [
        /ENOENT|EACCES/,
        'the file of AZURE_CLIENT_CERTIFICATE_PATH cannot be read',
        'check AZURE_CLIENT_CERTIFICATE_PATH and the rights of the file',
      ],
      [
        /PEM-encoded|PEM routines|DECODER/,
        'the file of AZURE_CLIENT_CERTIFICATE_PATH holds no usable PEM certificate with its key',
        'put the certificate and its private key, both PEM, into that file',
      ],
      UNREACHABLE,
    ],
  },
  WorkloadIdentityCredential: {
    own: /^WorkloadIdentityCredential|^[a-z_]+: |^ENOENT|^EACCES/, // MSAL begins with its code

    absent: [/required parameter/, 'not set up: needs AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_FEDERATED_TOKEN_FILE'],
    failures: [
      [
        /ENOENT|EACCES|No content/,
        'the file of AZURE_FEDERATED_TOKEN_FILE cannot be read or is empty',
        'check AZURE_FEDERATED_TOKEN_FILE; on AKS, label the pod azure.workload.identity/use: "true"',
      ],
      UNREACHABLE,
    ],
  },
  ManagedIdentityCredential: {
    own: /^ManagedIdentityCredential|IMDS endpoint/,
    absent: [
      /IMDS endpoint, but it is not available/,
      'no identity endpoint here: this is not Azure, or no identity is switched on',
    ],
    failures: [
      [
        /Identity not found|Managed Identity found/i,
        'no such identity is assigned',
        'assign it, or correct AZURE_CLIENT_ID (unset means the system-assigned one)',
      ],
      [
        /network_error|Network unreachable/,
        'its endpoint could not be reached',
        "switch on the app's identity; on your own machine, set AZURE_TOKEN_CREDENTIALS=dev",
      ],
      [
        /server_error/,
        'its endpoint failed on every attempt',
        "try again; if it stays so, restart the app or look for an incident in Azure's status",
      ],
    ],
    // Anything may answer at that address on a machine that is not in Azure.
    otherwise: { said: 'its endpoint refused', fix: "switch the app's identity off and on, or restart the app" },
  },
  VisualStudioCodeCredential: { own: /^Visual ?Studio ?Code/, absent: [/./s, 'not set up'], failures: [] },
  AzureCliCredential: {
    own: /Azure CLI|'az login'|\baz login\b/,
    absent: [/could not be found/, 'az is not installed, or not on the PATH'],
    failures: [[/az login/, 'nobody is signed in', 'az login']],
  },
  AzurePowerShellCredential: {
    own: /PowerShell|Az\.Account|Connect-AzAccount/,
    absent: [/Unable to execute|not installed|module/i, 'PowerShell or its Az.Accounts module is not installed'],
    failures: [[/Connect-AzAccount/, 'nobody is signed in', 'Connect-AzAccount']],
  },
  AzureDeveloperCliCredential: {
    own: /Azure Developer CLI|azd auth login/,
    absent: [/couldn't be found/, 'azd is not installed, or not on the PATH'],
    failures: [[/azd auth login/, 'nobody is signed in', 'azd auth login']],
  },
  DeviceCodeCredential: {
    own: /./s,
    absent: [/^$/, ''],
    failures: [
      [/authorization_declined/, 'the sign-in was declined', 'ask again, and agree'],
      [
        /expired|polling_cancelled|aborted/,
        'nobody entered the code in time',
        'ask again, and enter the code that is printed',
      ],
      UNREACHABLE,
    ],
  },
  InteractiveBrowserCredential: {
    own: /./s,
    absent: [/^$/, ''],
    failures: [
      [/spawn|ENOENT/, 'no browser could be opened', 'set AZURE_OPENAI_AUTH=device-code instead'],
      UNREACHABLE,
    ],
  },
};

/** What each credential of a chain said, in the chain's order, out of the error that the chain ended with. */
export function attemptsOf(error: unknown, chain: readonly CredentialName[]): readonly Attempt[] {
  const left = messagesOf(error);
  const [only] = chain;
  return chain.flatMap((credential) => {
    const at =
      chain.length === 1 && only === credential && left.length > 0
        ? 0
        : left.findIndex((message) => CREDENTIALS[credential].own.test(message));
    const [message] = at < 0 ? [] : left.splice(at, 1);
    return attempt(credential, message, error);
  });
}

const WORDS_IN_LOG = 'start the app with AZURE_LOG_LEVEL=info; its log then has what the library says';

function attempt(credential: CredentialName, message: string | undefined, error: unknown): Attempt[] {
  const { absent, failures, otherwise } = CREDENTIALS[credential];
  if (message === undefined) {
    // Those that could not even be made are left out of the chain's error; those after one that threw were not tried.
    return stoppedEarly(error) ? [] : [{ credential, said: absent[1], setUp: false }];
  }
  if (absent[0].test(message)) return [{ credential, said: absent[1], setUp: false }];
  const known = entraError(message) ?? failures.map(said).find((each) => each.pattern.test(message));
  if (!known && otherwise) return [{ credential, setUp: false, ...otherwise }];
  return [{ credential, setUp: true, said: known?.said ?? 'failed', fix: known?.fix ?? WORDS_IN_LOG }];
}

function said([pattern, words, fix]: Pattern): Said & { pattern: RegExp } {
  return { pattern, said: words, ...(fix ? { fix } : {}) };
}

/** AggregateAuthenticationError lists one error for each credential; any other error is that of the credential which ended the chain. */
function messagesOf(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  const errors: readonly unknown[] = 'errors' in error && Array.isArray(error.errors) ? error.errors : [error];
  return errors.flatMap((each) => (each instanceof Error && !NOTHING_TRIED.test(each.message) ? [each.message] : []));
}

/** What the chain says when none of its credentials could even be made. */
const NOTHING_TRIED = /^Failed to retrieve a valid token/;

function stoppedEarly(error: unknown): boolean {
  return error instanceof Error && error.name === 'AuthenticationError';
}
