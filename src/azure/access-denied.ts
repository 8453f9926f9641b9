import type { APIError } from 'openai';
import { Problem } from '../http/problem.ts';
import { type TokenFacts, tokenFacts } from './token-facts.ts';
import { readUpstreamError, type UpstreamError } from './upstream-error.ts';

/** The least role that may ask a deployment: https://learn.microsoft.com/azure/ai-foundry/openai/how-to/role-based-access-control */
export const ROLE = 'Cognitive Services OpenAI User';

/** Who asked which resource. */
export interface CallerIdentity {
  readonly endpoint: string;
  /** What it was asked with; nothing but its facts is ever told. */
  readonly token: string;
}

/** What a problem about the upstream carries beyond its words. */
export interface UpstreamOptions {
  readonly cause: APIError;
  readonly members: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What Azure says of a resource that it has stopped, for abuse or for want of payment. */
const BLOCKED = /\b(?:blocked|suspended|disabled by)\b/i;

type Reason = 'role' | 'network' | 'tenant' | 'token' | 'key-disabled' | 'gateway' | 'resource';

/** Whether a refusal is about who asks although its status is 400: the token is of another tenant than the resource. */
export function isWrongTenant({ status, message }: UpstreamError): boolean {
  return status === 400 && /token tenant|tenant provided in token/i.test(message);
}

/** Whether the model does not take the token itself, whoever it is for. */
export function isTokenRefused(error: APIError): boolean {
  return error.status === 401 && reasonOf(readUpstreamError(error)) === 'token';
}

/** The model's resource, or something in front of it, refused who asks: says why as far as it is known, and the one step that mends it. */
export function accessDenied(
  error: UpstreamError,
  { endpoint, token: bearer }: CallerIdentity,
  options: UpstreamOptions,
): Problem {
  const token = tokenFacts(bearer);
  const resource = resourceName(endpoint);
  const reason = reasonOf(error);
  const who = token
    ? ` It was asked by object ${token.objectId} of tenant ${token.tenant}, with a token for ${token.audience} until ${token.expires}.`
    : '';
  const role =
    reason === 'role' || reason === 'token' || reason === 'resource'
      ? ` The role that it needs there is '${ROLE}'; a new assignment takes 5 to 10 minutes to apply.`
      : '';
  const detail =
    `The resource ${resource} refused this app's identity (${error.status}): ${BLOCKED.test(error.message) ? 'the resource is blocked' : EXPLANATIONS[reason]}.${who} ` +
    `${nextStep(reason, resource, token)}${role}`;
  return new Problem('model_access_denied', detail, {
    ...options,
    members: { ...options.members, reason, role: ROLE, resource, ...(token ? { identity: token } : {}) },
  });
}

const EXPLANATIONS: Readonly<Record<Reason, string>> = {
  role: 'it lacks the role',
  network: 'the resource takes no requests from this network',
  tenant: 'the resource is in another tenant',
  token: 'the token, or the key, is not one that it takes',
  'key-disabled': 'keys are switched off there',
  gateway: 'a gateway, a firewall or a proxy in front of the resource answered, not the resource',
  resource: 'the resource itself refuses, and does not say more',
};

function reasonOf(error: UpstreamError): Reason {
  const { status, code, message, body } = error;
  if (isWrongTenant(error)) return 'tenant';
  if (/virtual network|firewall|public (?:network )?access|private endpoint/i.test(message)) return 'network';
  if (/key.based authentication is disabled/i.test(message) || code === 'AuthenticationTypeDisabled')
    return 'key-disabled';
  // Azure says 401 for a missing role too: "PermissionDenied", "lacks the required data action", "does not have access".
  if (code === 'PermissionDenied' || /data action|does not have access|not authorized to perform/i.test(message))
    return 'role';
  if (BLOCKED.test(message)) return 'resource';
  if (body === 'page' || body === 'none' || /missing subscription key/i.test(message)) return 'gateway';
  if (status === 401) return 'token'; // a flat body as well: Azure answers a bad token with one
  return body === 'flat' ? 'gateway' : 'resource';
}

function nextStep(reason: Reason, resource: string, token: TokenFacts | undefined): string {
  switch (reason) {
    case 'role':
      return `Next: az role assignment create --role '${ROLE}' --assignee ${token?.objectId ?? 'OBJECT_ID'} --scope $(${scopeOf(resource)})`;
    case 'network':
      return 'Next: let this network in (portal: the resource, Networking), or reach it through its private endpoint.';
    case 'tenant':
      return "Next: sign in to the resource's tenant (az login --tenant TENANT, or AZURE_TENANT_ID).";
    case 'key-disabled':
      return 'Next: remove AZURE_OPENAI_AUTH and AZURE_OPENAI_API_KEY, and run az login.';
    case 'gateway':
      return 'Next: look into the log of what stands in front of it, and check that AZURE_OPENAI_ENDPOINT is meant to go through it.';
    case 'resource':
      return 'Next: open the resource in the portal: its activity log, Networking and Access control (IAM) tell what refuses.';
    case 'token':
      return "Next: check AZURE_OPENAI_SCOPE against the audience, this machine's clock, and that AZURE_OPENAI_ENDPOINT is the resource itself.";
  }
}

function scopeOf(resource: string): string {
  return `az cognitiveservices account list --query "[?properties.customSubDomainName=='${resource}'].id" --output tsv`;
}

/** The custom subdomain, which is what a resource is known by outside. */
function resourceName(endpoint: string): string {
  return new URL(endpoint).hostname.replace(/\.(?:openai|cognitiveservices|services\.ai)\.azure\.(?:com|us|cn)$/, '');
}
