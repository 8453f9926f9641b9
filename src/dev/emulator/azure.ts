import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { listen } from '../start/listen.ts';
import { Endpoint } from './endpoint.ts';
import { identityEndpoint, identityPath } from './identity-endpoint.ts';
import { imdsEndpoint, imdsPath } from './imds-endpoint.ts';
import { DEFAULT_DEPLOYMENT, type Flex, modelEndpoint, type Resource } from './model-endpoint.ts';
import { startAuthority, type TokenAuthority } from './tokens.ts';

/**
 * Longer than clients keep an idle connection, so that no request arrives on a connection that is just being closed.
 */
const KEEP_ALIVE_MS = 75_000;
/** The lifetime of a managed identity's token in Azure. */
const TOKEN_SECONDS = 24 * 60 * 60;
const PUBLIC_AUDIENCE = 'https://cognitiveservices.azure.com';

/** Options of the emulated Azure. */
export interface AzureOptions {
  /** The lifetime of a token, in seconds. */
  readonly tokenSeconds?: number;
  readonly deployments?: readonly string[];
  /** The audience that the model requires in tokens. It differs by cloud. */
  readonly audience?: string;
  /** The authority of another emulated Azure, for a second resource that accepts the same tokens. */
  readonly authority?: TokenAuthority;
  /** Whether to keep the requests, so that a test can read them. A long run would fill its memory with them. */
  readonly record?: boolean;
  /** The speed of streams, in milliseconds per word. */
  readonly wordDelayMs?: number;
  /** How long the model takes before each answer begins, in milliseconds. */
  readonly answerDelayMs?: number;
}

/**
 * An emulated Azure on this machine: managed identity endpoints, and an Azure OpenAI resource that accepts their
 * tokens.
 */
export interface EmulatedAzure {
  /** The identity endpoint of App Service. */
  readonly identity: Endpoint;
  /** The identity endpoint of a virtual machine. An app with {@link EmulatedAzure.imdsEnv} uses it. */
  readonly imds: Endpoint;
  readonly model: Endpoint;
  readonly authority: TokenAuthority;
  /** The key that the model accepts instead of a token. */
  readonly key: string;
  /** The environment variables with which an app uses this Azure as on App Service. */
  readonly env: Readonly<Record<string, string>>;
  /** The environment variables with which an app uses this Azure as on a virtual machine. */
  readonly imdsEnv: Readonly<Record<string, string>>;
  /** Grants the role on the model to everybody, or removes it from everybody. */
  setRole(granted: boolean): void;
  /** Sets how the model treats `service_tier: flex`. */
  setFlex(flex: Flex): void;
  /** Makes the model refuse all tokens issued so far. */
  revoke(): void;
  /** Undoes {@link EmulatedAzure.revoke}. */
  allow(): void;
  /** Clears faults, records and revocations, and restores the role and flex. */
  reset(): void;
  close(): void;
}

/**
 * Starts an emulated Azure on a free port of 127.0.0.1.
 *
 * @example
 * const azure = await startAzure({ record: true });
 * azure.model.fail({ status: 429, headers: { 'retry-after': '1' } });
 */
export async function startAzure(options: AzureOptions = {}): Promise<EmulatedAzure> {
  const {
    tokenSeconds = TOKEN_SECONDS,
    deployments = [DEFAULT_DEPLOYMENT],
    audience = PUBLIC_AUDIENCE,
    record = false,
    wordDelayMs = 0,
    answerDelayMs = 0,
  } = options;
  const authority = options.authority ?? (await startAuthority(tokenSeconds));
  const secret = randomBytes(16).toString('hex');
  const identity = new Endpoint(identityEndpoint(authority, secret), { record, wordDelayMs });
  const imds = new Endpoint(imdsEndpoint(authority), { record, wordDelayMs });
  const resource: Resource = {
    authority,
    audience,
    deployments,
    key: randomBytes(16).toString('hex'),
    hasRole: true,
    flex: 'available',
  };
  const model = new Endpoint(modelEndpoint(resource), { record, wordDelayMs, delayMs: answerDelayMs });

  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (req, res) => {
    const endpoint = req.url?.startsWith(identityPath) ? identity : req.url?.startsWith(imdsPath) ? imds : model;
    endpoint.handle(req, res).catch((error: unknown) => {
      res.destroy();
      // A client that disconnects during its upload is not a failure. Everything else is a fault of the emulator.
      if (req.complete) console.error('The emulated Azure failed:', error);
    });
  });
  const origin = `http://127.0.0.1:${await listen(server, 0)}`;

  const shared = {
    AZURE_OPENAI_ENDPOINT: `${origin}/`,
    AZURE_OPENAI_DEPLOYMENT: deployments[0] ?? DEFAULT_DEPLOYMENT,
    // Without these two, the app might use the developer's own sign-in, or a proxy that cannot reach this machine.
    AZURE_TOKEN_CREDENTIALS: 'ManagedIdentityCredential',
    NO_PROXY: [process.env['NO_PROXY'], '127.0.0.1'].filter(Boolean).join(','),
  };
  return {
    identity,
    imds,
    model,
    authority,
    key: resource.key,
    env: { ...shared, IDENTITY_ENDPOINT: `${origin}${identityPath}`, IDENTITY_HEADER: secret },
    imdsEnv: { ...shared, AZURE_POD_IDENTITY_AUTHORITY_HOST: origin },
    setRole(granted) {
      resource.hasRole = granted;
    },
    setFlex(flex) {
      resource.flex = flex;
    },
    revoke: () => authority.revoke(),
    allow: () => authority.allow(),
    reset() {
      for (const endpoint of [identity, imds, model]) endpoint.reset();
      authority.allow();
      resource.hasRole = true;
      resource.flex = 'available';
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
