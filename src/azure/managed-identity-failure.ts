import { isRecord, parseJson } from '../config/json-object.ts';
import { runsInAzure } from '../config/settings.ts';
import { causes, connectionFailure } from './connection-failure.ts';
import { errorName, msalCode } from './credential-failures.ts';
import type { EndpointAnswer, LastResults } from './credential-http.ts';
import { entraError, type FailureReason } from './entra-errors.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/** The facts of a sign-in with a managed identity. */
interface SignInFacts {
  readonly variables: Variables;
  readonly lastResults: LastResults;
}

/**
 * The codes of Azure Arc. Its agent passes a key in a file:
 * https://learn.microsoft.com/azure/azure-arc/servers/managed-identity-authentication
 */
const ARC: Readonly<Record<string, FailureReason>> = {
  unable_to_read_secret_file: {
    said: "the key file of Azure Arc's agent cannot be read",
    fix:
      'add the user that the app runs as to the group himds (sudo usermod -aG himds USER), and start ' +
      'the app in a new session',
  },
  platform_not_supported: {
    said: 'Azure Arc supports managed identities only on Windows and Linux',
    fix: 'run the app there, or use another credential (AZURE_TOKEN_CREDENTIALS)',
  },
  user_assigned_managed_identity_not_confirmed: {
    said: "Azure Arc's agent did not confirm the user-assigned identity of AZURE_CLIENT_ID",
    fix: 'leave AZURE_CLIENT_ID unset, or update the agent',
  },
};

/** Says why a managed identity gave no token, by the response of its endpoint or by the code of Azure Arc. */
export function managedIdentityFailure(
  error: unknown,
  { variables, lastResults: { endpoint } }: SignInFacts,
): FailureReason & { readonly setUp: boolean } {
  const isNamed = Boolean(variables['IDENTITY_ENDPOINT'] ?? variables['MSI_ENDPOINT'] ?? variables['IMDS_ENDPOINT']);
  // The library uses this class of error only for Azure Arc. For all others, the endpoint's response has the reason.
  const arc = causes(error).some((cause) => errorName(cause) === 'ManagedIdentityError') ? msalCode(error) : undefined;
  if (arc) return { setUp: true, ...(ARC[arc] ?? arcAgent(arc)) };
  if (endpoint && 'status' in endpoint) {
    // On a machine that is not in Azure, something else may answer at that address.
    const setUp = isNamed || runsInAzure(variables) || isRecord(parseJson(endpoint.text));
    return { setUp, ...endpointRefusal(endpoint, variables) };
  }
  if (endpoint && (isNamed || variables['AZURE_TOKEN_CREDENTIALS'])) {
    const { code: reason } = connectionFailure(endpoint.error);
    return {
      setUp: isNamed,
      said: `its endpoint could not be reached${reason ? ` (${reason})` : ''}`,
      fix: "switch on the app's identity; on your own machine, set AZURE_TOKEN_CREDENTIALS=dev",
    };
  }
  return { setUp: false, said: 'no identity endpoint here: this is not Azure, or no identity is switched on' };
}

function arcAgent(code: string): FailureReason {
  return {
    said: `Azure Arc's agent sent an unexpected answer (${code})`,
    fix: 'restart the agent, and check it with azcmagent show',
  };
}

function endpointRefusal(
  { status, text, retryAfter, isWithoutExpiry }: EndpointAnswer,
  variables: Variables,
): FailureReason {
  const inContainerApps = Boolean(variables['CONTAINER_APP_NAME']);
  const entra = entraError(text);
  if (entra) return entra;
  switch (status) {
    case 200:
      if (isWithoutExpiry)
        return {
          said: 'its endpoint does not say when the token expires',
          fix: "check expires_on in the endpoint's response: it must be seconds since 1970, or a date",
        };
      return {
        said: 'the response of its endpoint is not a token',
        fix: 'check IDENTITY_ENDPOINT: something else answers at that address',
      };
    case 400:
    case 500:
      if (/multiple user.assigned/i.test(text))
        return {
          said: 'several user-assigned identities are assigned, and none is chosen',
          fix: 'set AZURE_CLIENT_ID to the client id of one of them',
        };
      if (/identity not found|managed identity found|load requested managed identity|identity isn't/i.test(text))
        return {
          said: 'no such identity is assigned',
          fix: inContainerApps
            ? 'assign it (az containerapp identity assign, for every revision and init container that ' +
              'asks), or correct AZURE_CLIENT_ID (unset means the system-assigned one)'
            : 'assign it, or correct AZURE_CLIENT_ID (unset means the system-assigned one)',
        };
      break;
    case 401:
      return {
        said: 'its endpoint refused the secret of IDENTITY_HEADER (401)',
        fix:
          'if you have set IDENTITY_ENDPOINT or IDENTITY_HEADER, remove them, because the platform ' +
          'sets both; restart the app',
      };
    case 403:
      return {
        said: 'its endpoint refused (403)',
        fix:
          'look for a proxy, a firewall or a network policy between the app and its identity ' +
          'endpoint; restart the app after a change',
      };
    case 404:
      return {
        said: 'there is no identity endpoint at that address (404)',
        fix:
          "check IDENTITY_ENDPOINT, and that the app's identity is switched on; on your own machine, " +
          'set AZURE_TOKEN_CREDENTIALS=dev',
      };
    case 405:
      return {
        said: 'the address is not that of an identity endpoint (405)',
        fix: 'check IDENTITY_ENDPOINT: the platform sets it, so remove it if you have set it',
      };
    case 410:
      return {
        said: 'its endpoint is being updated (410)',
        fix: 'wait 70 seconds and try again; if it fails again, restart the app or the machine',
      };
    case 429:
      return {
        said: 'its endpoint is throttled (429)',
        fix: `wait${retryAfter ? ` ${retryAfter} s` : ''} and try again; too many processes use it at the same time`,
      };
    default:
  }
  return status >= 500
    ? {
        said: `its endpoint failed on every attempt (${status})`,
        fix: "try again; if it fails again, restart the app or look for an incident in Azure's status",
      }
    : {
        said: `its endpoint refused (${status})`,
        fix:
          'check AZURE_CLIENT_ID and AZURE_OPENAI_SCOPE, and look up the status in the documentation ' +
          'of managed identities',
      };
}
