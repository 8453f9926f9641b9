import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EmulatedAzure } from '../../../src/dev/emulator/azure.ts';
import { makeClientCertificate } from '../../../src/dev/emulator/entra/certificates.ts';
import type { EmulatedEntra } from '../../../src/dev/emulator/entra/entra.ts';
import type { StandIns } from './stand-in.ts';

/** The emulated services that the cases use. */
export interface Cloud {
  readonly azure: EmulatedAzure;
  readonly entra: EmulatedEntra;
  readonly standIns: StandIns;
  /** A directory for certificates and tokens. */
  readonly files: string;
}

/** One way to sign in, how to make it fail as it does in practice, and how to repair it. */
export interface CredentialCase {
  readonly name: string;
  /** The credential that signs in, by its class in `@azure/identity`. */
  readonly credential: string;
  /** The variables that select it, in addition to those of the model. */
  readonly env: (cloud: Cloud) => Promise<Record<string, string>> | Record<string, string>;
  readonly break: (cloud: Cloud) => Promise<void> | void;
  readonly repair: (cloud: Cloud) => Promise<void> | void;
  /** Parts of the problem's detail while it fails. */
  readonly detail: readonly (string | RegExp)[];
}

const NO_IDENTITY = {
  status: 400,
  body: { statusCode: 400, message: 'No Managed Identity found for specified ClientId/ResourceId/PrincipalId.' },
};
const NO_IMDS_IDENTITY = { status: 400, body: { error: 'invalid_request', error_description: 'Identity not found' } };
const USER_ASSIGNED = '00000000-0000-4000-8000-0000000000aa';
const AS_APPLICATION = ({ entra }: Cloud) => ({ ...entra.env, AZURE_CLIENT_ID: entra.application.clientId });

let secret: string;
let certificate: EmulatedEntra['application']['certificate'];

export const CREDENTIAL_CASES: readonly CredentialCase[] = [
  ...(['', USER_ASSIGNED] as const).flatMap((clientId): CredentialCase[] => [
    {
      name: `${clientId ? 'user' : 'system'}-assigned managed identity, App Service`,
      credential: 'ManagedIdentityCredential',
      env: ({ azure }) => ({ ...azure.env, AZURE_CLIENT_ID: clientId }),
      break: ({ azure }) => azure.identity.fail(NO_IDENTITY, Infinity),
      repair: ({ azure }) => azure.identity.reset(),
      detail: ['no such identity is assigned', 'AZURE_CLIENT_ID'],
    },
    {
      name: `${clientId ? 'user' : 'system'}-assigned managed identity, IMDS`,
      credential: 'ManagedIdentityCredential',
      env: ({ azure }) => ({ ...azure.imdsEnv, AZURE_CLIENT_ID: clientId }),
      break: ({ azure }) => azure.imds.fail(NO_IMDS_IDENTITY, Infinity),
      repair: ({ azure }) => azure.imds.reset(),
      detail: ['no such identity is assigned', 'AZURE_CLIENT_ID'],
    },
  ]),
  {
    name: 'service principal with a secret',
    credential: 'EnvironmentCredential',
    env: (cloud) => ({ ...AS_APPLICATION(cloud), AZURE_CLIENT_SECRET: (secret = cloud.entra.application.secret) }),
    break: ({ entra }) => void (entra.application.secret = 'another'),
    repair: ({ entra }) => void (entra.application.secret = secret),
    detail: ['the client secret is wrong', 'AADSTS7000215', 'az ad app credential reset'],
  },
  {
    name: 'service principal with a certificate',
    credential: 'EnvironmentCredential',
    async env(cloud) {
      ({ certificate } = cloud.entra.application);
      const file = join(cloud.files, 'certificate.pem');
      await writeFile(file, certificate.key + certificate.cert);
      return { ...AS_APPLICATION(cloud), AZURE_CLIENT_CERTIFICATE_PATH: file };
    },
    async break({ entra }) {
      entra.application.certificate = await makeClientCertificate();
    },
    repair: ({ entra }) => void (entra.application.certificate = certificate),
    detail: ['the certificate is not registered', 'AADSTS700027'],
  },
  ...(['cluster', 'workflow'] as const).map((issuer): CredentialCase => {
    let subject = '';
    return {
      name: issuer === 'cluster' ? 'workload identity, AKS' : 'federated credential, GitHub Actions',
      credential: 'WorkloadIdentityCredential',
      async env(cloud) {
        const file = join(cloud.files, `${issuer}-token`);
        await writeFile(file, await cloud.entra.application.federations[issuer].token());
        return {
          ...AS_APPLICATION(cloud),
          AZURE_TOKEN_CREDENTIALS: 'WorkloadIdentityCredential',
          AZURE_FEDERATED_TOKEN_FILE: file,
        };
      },
      break({ entra }) {
        ({ subject } = entra.application.federations[issuer]);
        entra.application.federations[issuer].subject = 'somebody:else';
      },
      repair: ({ entra }) => void (entra.application.federations[issuer].subject = subject),
      detail: ["no federated credential has this token's subject", 'AADSTS700213', 'service account'],
    };
  }),
  {
    name: 'Azure CLI',
    credential: 'AzureCliCredential',
    env: () => ({ AZURE_TOKEN_CREDENTIALS: 'AzureCliCredential' }),
    break: ({ standIns }) => standIns.failing('az', "ERROR: Please run 'az login' to setup account."),
    repair: ({ standIns }) => standIns.az(),
    detail: ['nobody is signed in', /Next: az login\.$/],
  },
  {
    name: 'Azure Developer CLI',
    credential: 'AzureDeveloperCliCredential',
    env: () => ({ AZURE_TOKEN_CREDENTIALS: 'azuredeveloperclicredential' }),
    break: ({ standIns }) => standIns.failing('azd', 'ERROR: not logged in, run \\`azd auth login\\` to login'),
    repair: ({ standIns }) => standIns.azd(),
    detail: ['nobody is signed in', /Next: azd auth login\.$/],
  },
  {
    name: 'interactive browser',
    credential: 'InteractiveBrowserCredential',
    env: ({ entra }) => ({ ...entra.env, AZURE_OPENAI_AUTH: 'browser' }),
    break: () => undefined, // PATH has no browser yet
    repair: ({ standIns }) => standIns.browser(),
    detail: ['no browser could be opened', 'AZURE_OPENAI_AUTH=device-code'],
  },
];
