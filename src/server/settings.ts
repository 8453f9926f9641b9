import { Environment, type SettingFault } from '../config/environment.ts';
import { parseEndpoint } from '../config/endpoint.ts';

/** The port of `npm start`. */
const DEFAULT_PORT = 7071;
/** By default, Kubernetes kills a container 30 s after SIGTERM. Telemetry needs some of that time, too. */
const DEFAULT_DRAIN_SECONDS = 25;
const MAX_DRAIN_SECONDS = 600;
const PUBLIC_AUTHORITY = 'https://login.microsoftonline.com';
const GUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** Which tokens are accepted. */
export interface TokenSettings {
  /** The authority's URL, without a slash at the end. */
  readonly authority: string;
  readonly tenantId: string;
  /** The application that tokens must be issued for. */
  readonly clientId: string;
  /** The client ids that may call, in lower case. If it is empty, any client with a token may. */
  readonly allowedClients: ReadonlySet<string>;
}

/** The settings of the server only. */
export interface ServerSettings {
  readonly port: number;
  readonly host: string;
  /** Time to answer the requests in progress after SIGTERM, in milliseconds. */
  readonly drainMs: number;
  /** Undefined if something in front of the server checks callers. */
  readonly tokens: TokenSettings | undefined;
}

/** Reads the server's own settings. Returns all faults. They never repeat a setting's value, which may be secret. */
export function readServerSettings(variables: Readonly<Record<string, string | undefined>>): {
  readonly settings: ServerSettings;
  readonly faults: readonly SettingFault[];
} {
  const environment = new Environment(variables);
  const settings = {
    port: environment.integer('PORT', DEFAULT_PORT, 0, 65_535),
    host: environment.text('HOST') ?? '127.0.0.1',
    drainMs: environment.integer('DRAIN_SECONDS', DEFAULT_DRAIN_SECONDS, 0, MAX_DRAIN_SECONDS) * 1000,
    tokens: readTokenSettings(environment),
  };
  return { settings, faults: environment.faults };
}

/** Reads who may call. There is no default, so that an oversight does not let everybody in. */
function readTokenSettings(environment: Environment): TokenSettings | undefined {
  const level = environment.text('HTTP_AUTH_LEVEL');
  const tenantId = environment.text('AUTH_TENANT_ID');
  const clientId = environment.text('AUTH_CLIENT_ID');
  const allowed = environment.text('AUTH_ALLOWED_CLIENTS');
  const isAsked = tenantId !== undefined || clientId !== undefined || allowed !== undefined;
  if (level === 'function') {
    environment.fault(
      'HTTP_AUTH_LEVEL',
      'must not be function here: function keys need the Functions host. Set AUTH_TENANT_ID and ' +
        'AUTH_CLIENT_ID, or HTTP_AUTH_LEVEL=anonymous if something in front checks the callers.',
    );
    return undefined;
  }
  if (level !== undefined) {
    if (level !== 'anonymous') environment.fault('HTTP_AUTH_LEVEL', 'must be anonymous, or not set.');
    else if (isAsked)
      environment.fault(
        'HTTP_AUTH_LEVEL',
        'must not be anonymous if AUTH_TENANT_ID, AUTH_CLIENT_ID or AUTH_ALLOWED_CLIENTS is set: choose one. ' +
          'Remove HTTP_AUTH_LEVEL, and callers need a token.',
      );
    return undefined;
  }
  if (!isAsked) {
    environment.fault(
      'AUTH_TENANT_ID',
      'is not set. Choose who may call: set AUTH_TENANT_ID and AUTH_CLIENT_ID, and callers need a token of ' +
        'your tenant; or set HTTP_AUTH_LEVEL=anonymous if something in front checks them.',
    );
    return undefined;
  }
  return {
    authority: readAuthority(environment),
    tenantId: readGuid(environment, 'AUTH_TENANT_ID', 'the id of your tenant: az account show --query tenantId'),
    clientId: readGuid(
      environment,
      'AUTH_CLIENT_ID',
      'the application (client) id of the registration that callers ask a token for',
    ),
    allowedClients: readClients(environment, allowed),
  };
}

function readGuid(environment: Environment, name: string, what: string): string {
  const value = environment.text(name);
  if (value === undefined) environment.fault(name, `is not set. It is ${what}.`);
  else if (!GUID.test(value))
    environment.fault(name, `must be an id such as 00000000-0000-0000-0000-000000000000: ${what}.`);
  return (value ?? '').toLowerCase();
}

function readClients(environment: Environment, setting: string | undefined): ReadonlySet<string> {
  if (setting === undefined) return new Set();
  const clients = setting.split(',').map((client) => client.trim().toLowerCase());
  if (!clients.every((client) => GUID.test(client)))
    environment.fault('AUTH_ALLOWED_CLIENTS', 'must be client ids with commas between.');
  return new Set(clients);
}

/** Returns the authority where the app itself signs in: AZURE_AUTHORITY_HOST, or that of the endpoint's cloud. */
function readAuthority(environment: Environment): string {
  const named = environment.text('AZURE_AUTHORITY_HOST');
  if (named !== undefined) {
    const isHttps = URL.parse(named)?.protocol === 'https:';
    if (!isHttps)
      environment.fault('AZURE_AUTHORITY_HOST', 'must begin with https://, such as https://login.microsoftonline.us.');
    return named.replace(/\/+$/, '');
  }
  const found = environment.find('AZURE_OPENAI_ENDPOINT', 'GPT4V_ENDPOINT');
  const endpoint = found ? parseEndpoint(found.value) : undefined;
  return (endpoint instanceof Object && endpoint.authorityHost) || PUBLIC_AUTHORITY;
}
