import { type Endpoint, parseEndpoint } from './endpoint.ts';
import { Environment, SettingsError } from './environment.ts';
import { readStorage, type StorageSettings } from './storage.ts';
import { type Limits, readLimits } from './limits.ts';
import { defaultInflightBytes } from './memory-limit.ts';
import { readSignIn, type SignInSettings } from './sign-in.ts';

/** The values that the SDK knows. Each model takes only some of them. */
const REASONING_EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const;

/** A deployment, and the endpoint that it is deployed at. */
export interface Target {
  readonly endpoint: string;
  readonly deployment: string;
}

/** All settings, checked. Sizes are in bytes, durations in milliseconds. */
export interface Settings extends SignInSettings, Limits, StorageSettings, Target {
  /** The deployment to ask when the first one answers 429 or fails. */
  readonly second: Target | undefined;
  /** A dated version, or `v1` for the version-free API. */
  readonly apiVersion: string;
  /** The scope to request tokens for. */
  readonly scope: string;
  /** The sign-in host of the endpoint's cloud. Undefined in the public cloud. */
  readonly authorityHost: string | undefined;
  readonly systemPrompt: string;
  readonly reasoningEffort: (typeof REASONING_EFFORTS)[number] | undefined;
  /** Bytes that all requests in progress together may hold. */
  readonly maxInflightBytes: number;
  /** Whether images are turned upright, converted and stripped of metadata. If not, they are sent unchanged. */
  readonly prepareImages: boolean;
  readonly requestTimeoutMs: number;
  readonly upstreamMaxRetries: number;
  /** Hints for the operator about valid settings, logged once at startup. */
  readonly notes: readonly string[];
}

/** The newest generally available dated version, as of November 2026. */
export const DEFAULT_API_VERSION = '2024-10-21';
/** Azure's front end cuts a request off after 230 s, so the app must answer before that. */
const FRONT_END_MAX_SECONDS = 225;
/** The deadline of a request, unless REQUEST_TIMEOUT_SECONDS sets another. */
export const DEFAULT_TIMEOUT_SECONDS = 120;
const DEFAULT_SYSTEM_PROMPT = 'You are a helpful assistant that answers questions about images.';
const NO_MAXIMUM = Number.MAX_SAFE_INTEGER;

type Variables = Readonly<Record<string, string | undefined>>;

/** Whether this process runs in Azure (Functions, App Service, Container Apps) rather than on a developer's machine. */
export function runsInAzure(variables: Variables): boolean {
  return Boolean(variables['WEBSITE_SITE_NAME'] ?? variables['CONTAINER_APP_NAME']);
}

/**
 * Reads the authorization level of the protected routes. It is read separately, because the app registers its routes
 * even if other settings are invalid.
 */
export function readAuthLevel(variables: Variables): 'function' | 'anonymous' {
  return authLevelOf(new Environment(variables));
}

/**
 * Reads and checks all settings.
 * @throws {SettingsError} with every fault and how to fix it. It never repeats a value, which may be a secret.
 */
export function readSettings(variables: Variables): Settings {
  const environment = new Environment(variables);
  const notes: string[] = [];
  authLevelOf(environment);
  const endpoint = readEndpoint(environment);
  const settings: Settings = {
    endpoint: endpoint.url,
    deployment: readDeployment(environment),
    second: readSecond(environment, endpoint),
    apiVersion: readApiVersion(environment),
    scope: environment.text('AZURE_OPENAI_SCOPE') ?? endpoint.scope,
    authorityHost: endpoint.authorityHost,
    ...readSignIn(environment, runsInAzure(variables), notes),
    systemPrompt: environment.text('SYSTEM_PROMPT') ?? DEFAULT_SYSTEM_PROMPT,
    reasoningEffort: environment.oneOf('REASONING_EFFORT', REASONING_EFFORTS, undefined),
    ...readLimits(environment),
    maxInflightBytes: environment.integer('MAX_INFLIGHT_BYTES', defaultInflightBytes(), 1, NO_MAXIMUM),
    prepareImages: environment.oneOf('PREPARE_IMAGES', ['on', 'off'], 'on') === 'on',
    requestTimeoutMs:
      environment.integer('REQUEST_TIMEOUT_SECONDS', DEFAULT_TIMEOUT_SECONDS, 1, FRONT_END_MAX_SECONDS) * 1000,
    upstreamMaxRetries: environment.integer('UPSTREAM_MAX_RETRIES', 2, 0, 10),
    ...readStorage(environment, { suffix: endpoint.storageSuffix, inAzure: runsInAzure(variables) }),
    notes,
  };
  if (environment.faults.length > 0) throw new SettingsError(environment.faults);
  return settings;
}

function authLevelOf(environment: Environment): 'function' | 'anonymous' {
  return environment.oneOf('HTTP_AUTH_LEVEL', ['function', 'anonymous'], 'function');
}

function readEndpoint(environment: Environment): Endpoint {
  const found = environment.find('AZURE_OPENAI_ENDPOINT', 'GPT4V_ENDPOINT');
  const endpoint = found ? parseEndpoint(found.value) : 'is not set. It looks like https://NAME.openai.azure.com/.';
  if (typeof endpoint !== 'string') return endpoint;
  environment.fault(found?.name ?? 'AZURE_OPENAI_ENDPOINT', endpoint);
  return { url: '', scope: '', authorityHost: undefined, storageSuffix: '' };
}

function readDeployment(environment: Environment): string {
  const found = environment.find('AZURE_OPENAI_DEPLOYMENT', 'GPT4V_DEPLOYMENT');
  if (found) return checkDeployment(environment, found);
  environment.fault('AZURE_OPENAI_DEPLOYMENT', 'is not set. It is the name you gave the deployment, not the model.');
  return '';
}

/**
 * Checks the name, which becomes a segment of the URL.
 * https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
 */
function checkDeployment(environment: Environment, { name, value }: { name: string; value: string }): string {
  if (!/^[\w.-]{1,64}$/.test(value))
    environment.fault(name, 'is not a deployment name: up to 64 letters, digits, "-", "_" and ".".');
  return value;
}

/** Reads the second deployment, if one is set. It must be in the same cloud, because both use the same token. */
function readSecond(environment: Environment, first: Endpoint): Target | undefined {
  const name = environment.find('AZURE_OPENAI_DEPLOYMENT_2');
  const address = environment.text('AZURE_OPENAI_ENDPOINT_2');
  if (!name && !address) return undefined;
  if (!name) environment.fault('AZURE_OPENAI_DEPLOYMENT_2', 'is not set, although AZURE_OPENAI_ENDPOINT_2 is.');
  const endpoint = address ? parseEndpoint(address) : 'is not set, although AZURE_OPENAI_DEPLOYMENT_2 is.';
  if (typeof endpoint === 'string') {
    environment.fault('AZURE_OPENAI_ENDPOINT_2', endpoint);
  } else if (name) {
    if (first.scope && endpoint.scope !== first.scope)
      environment.fault('AZURE_OPENAI_ENDPOINT_2', 'must be in the same cloud as the first endpoint.');
    return { endpoint: endpoint.url, deployment: checkDeployment(environment, name) };
  }
  return undefined;
}

function readApiVersion(environment: Environment): string {
  const version = environment.text('OPENAI_API_VERSION') ?? DEFAULT_API_VERSION;
  if (!/^(?:v1|\d{4}-\d{2}-\d{2}(?:-preview)?)$/.test(version)) {
    environment.fault('OPENAI_API_VERSION', `must be a date such as ${DEFAULT_API_VERSION}, or v1.`);
  }
  return version;
}
