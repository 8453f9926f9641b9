import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { listen } from '../start/listen.ts';
import { Endpoint } from './endpoint.ts';
import { identityEndpoint, identityPath } from './identity-endpoint.ts';
import { imdsEndpoint, imdsPath } from './imds-endpoint.ts';
import { DEFAULT_DEPLOYMENT, type Flex, modelEndpoint, type Resource } from './model-endpoint.ts';
import { startAuthority, type TokenAuthority } from './tokens.ts';

/** Longer than clients keep a connection that they do not use, so that no request meets one which is just being closed. */
const KEEP_ALIVE_MS = 75_000;
/** As long as a managed identity's token lives in Azure. */
const TOKEN_SECONDS = 24 * 60 * 60;
const PUBLIC_AUDIENCE = 'https://cognitiveservices.azure.com';

/** What may differ from an ordinary day in Azure. */
export interface AzureOptions {
  /** Lifetime of a token. */
  readonly tokenSeconds?: number;
  readonly deployments?: readonly string[];
  /** What the model wants its tokens issued for; differs by cloud. */
  readonly audience?: string;
  /** Another's, for a second resource that takes the same tokens. */
  readonly authority?: TokenAuthority;
  /** Keeps the requests, for a test to read; a long run would only fill its memory with them. */
  readonly record?: boolean;
  /** The pace of streams, in milliseconds per word. */
  readonly wordDelayMs?: number;
  /** How long the model thinks before each answer, in milliseconds. */
  readonly answerDelayMs?: number;
}

/** An emulated Azure on this machine: a managed identity endpoint, and an Azure OpenAI resource that takes its tokens. */
export interface EmulatedAzure {
  /** The identity endpoint of App Service. */
  readonly identity: Endpoint;
  /** The same of a virtual machine, for who is told of it by {@link EmulatedAzure.imdsEnv}. */
  readonly imds: Endpoint;
  readonly model: Endpoint;
  readonly authority: TokenAuthority;
  /** The key that the model takes instead of a token. */
  readonly key: string;
  /** The environment variables with which an app finds it. */
  readonly env: Readonly<Record<string, string>>;
  /** The same on a virtual machine. */
  readonly imdsEnv: Readonly<Record<string, string>>;
  /** Gives everybody the role on the model, or takes it from everybody. */
  setRole(granted: boolean): void;
  /** Says what the model makes of `service_tier: flex`. */
  setFlex(flex: Flex): void;
  /** From now on the model refuses the tokens issued so far. */
  revoke(): void;
  /** Undoes {@link EmulatedAzure.revoke}. */
  allow(): void;
  /** Forgets faults, records and revocations, and gives the role and flex back. */
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
      // A client that goes away while it is read is a record, not a failure; all else is a fault of the emulator.
      if (req.complete) console.error('The emulated Azure failed:', error);
    });
  });
  const origin = `http://127.0.0.1:${await listen(server, 0)}`;

  const shared = {
    AZURE_OPENAI_ENDPOINT: `${origin}/`,
    AZURE_OPENAI_DEPLOYMENT: deployments[0] ?? DEFAULT_DEPLOYMENT,
    // A developer's own sign-in, or a proxy that knows nothing of this machine, would lead away from here.
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
