import type { APIError } from 'openai';
import { Problem } from '../http/problem.ts';
import { type TokenFacts, tokenFacts } from './token-facts.ts';
import { readUpstreamError, type UpstreamError } from './upstream-error.ts';

/**
 * The least privileged role that may call a deployment:
 * https://learn.microsoft.com/azure/ai-foundry/openai/how-to/role-based-access-control
 */
export const ROLE = 'Cognitive Services OpenAI User';

/** Who called which resource. */
export interface CallerIdentity {
  readonly endpoint: string;
  /** The token of the request. Only its {@link TokenFacts} ever leave the app. */
  readonly token: string;
}

/** What a problem about the model's service has in addition to its detail. */
export interface UpstreamOptions {
  readonly cause: APIError;
  readonly members: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Azure's words about a resource that it has blocked, because of abuse or a missing payment. */
const BLOCKED = /\b(?:blocked|suspended|disabled by)\b/i;

type Reason = 'role' | 'network' | 'tenant' | 'token' | 'key-disabled' | 'gateway' | 'resource';

/** Whether the token is from another tenant than the resource, which Azure answers with a 400. */
export function isWrongTenant({ status, message }: UpstreamError): boolean {
  return status === 400 && /token tenant|tenant provided in token/i.test(message);
}

/** Whether the model's service rejects the token itself, such as an expired one, and not its owner. */
export function isTokenRefused(error: APIError): boolean {
  return error.status === 401 && reasonOf(readUpstreamError(error)) === 'token';
}

/**
 * Makes the problem of a refused identity. The model's resource refused it, or something in front of the resource. The
 * detail says why, as far as the app can tell, and what to do next.
 */
export function accessDenied(
  error: UpstreamError,
  { endpoint, token: bearer }: CallerIdentity,
  options: UpstreamOptions,
): Problem {
  const token = tokenFacts(bearer);
  const resource = resourceName(endpoint);
  const reason = reasonOf(error);
  const who = token
    ? ` The request came from object ${token.objectId} of tenant ${token.tenant}, ` +
      `with a token for ${token.audience} that is valid until ${token.expires}.`
    : '';
  const role =
    reason === 'role' || reason === 'token' || reason === 'resource'
      ? ` The identity needs the role '${ROLE}' on the resource; a new assignment takes 5 to 10 minutes to apply.`
      : '';
  const detail =
    `The resource ${resource} refused this app's identity (${error.status}): ` +
    `${BLOCKED.test(error.message) ? 'the resource is blocked' : EXPLANATIONS[reason]}.${who} ` +
    `${nextStep(reason, resource, token)}${role}`;
  return new Problem('model_access_denied', detail, {
    ...options,
    members: { ...options.members, reason, role: ROLE, resource, ...(token ? { identity: token } : {}) },
  });
}

const EXPLANATIONS: Readonly<Record<Reason, string>> = {
  role: 'it lacks the role',
  network: 'the resource accepts no requests from this network',
  tenant: 'the resource is in another tenant',
  token: 'it does not accept the token or the key',
  'key-disabled': 'its keys are disabled',
  gateway: 'a gateway, a firewall or a proxy answered in place of the resource',
  resource: 'the resource gives no reason',
};

function reasonOf(error: UpstreamError): Reason {
  const { status, code, message, body } = error;
  if (isWrongTenant(error)) return 'tenant';
  if (/virtual network|firewall|public (?:network )?access|private endpoint/i.test(message)) return 'network';
  if (/key.based authentication is disabled/i.test(message) || code === 'AuthenticationTypeDisabled')
    return 'key-disabled';
  // Azure also answers a missing role with 401: "PermissionDenied", "lacks the required data action", and so on.
  if (code === 'PermissionDenied' || /data action|does not have access|not authorized to perform/i.test(message))
    return 'role';
  if (BLOCKED.test(message)) return 'resource';
  if (body === 'page' || body === 'none' || /missing subscription key/i.test(message)) return 'gateway';
  if (status === 401) return 'token'; // also with a flat body, which Azure sends for a bad token
  return body === 'flat' ? 'gateway' : 'resource';
}

function nextStep(reason: Reason, resource: string, token: TokenFacts | undefined): string {
  switch (reason) {
    case 'role':
      return (
        `Next: az role assignment create --role '${ROLE}' --assignee ${token?.objectId ?? 'OBJECT_ID'} ` +
        `--scope $(${scopeOf(resource)})`
      );
    case 'network':
      return "Next: allow this network (portal: the resource, Networking), or use the resource's private endpoint.";
    case 'tenant':
      return "Next: sign in to the resource's tenant (az login --tenant TENANT, or AZURE_TENANT_ID).";
    case 'key-disabled':
      return 'Next: remove AZURE_OPENAI_AUTH and AZURE_OPENAI_API_KEY, and run az login.';
    case 'gateway':
      return 'Next: look at its log, and check whether requests to AZURE_OPENAI_ENDPOINT should go through it.';
    case 'resource':
      return 'Next: open the resource in the portal and look at its activity log, Networking and Access control (IAM).';
    case 'token':
      return (
        "Next: check that AZURE_OPENAI_SCOPE fits the resource, that this machine's clock is right, and that " +
        'AZURE_OPENAI_ENDPOINT is the resource itself.'
      );
  }
}

function scopeOf(resource: string): string {
  return `az cognitiveservices account list --query "[?properties.customSubDomainName=='${resource}'].id" --output tsv`;
}

/** The resource's custom subdomain, or the whole host name of a gateway. */
function resourceName(endpoint: string): string {
  return new URL(endpoint).hostname.replace(/\.(?:openai|cognitiveservices|services\.ai)\.azure\.(?:com|us|cn)$/, '');
}
