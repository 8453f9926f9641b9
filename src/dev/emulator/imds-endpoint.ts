import { jsonAnswer } from './answer.ts';
import type { Respond } from './endpoint.ts';
import type { TokenAuthority } from './tokens.ts';

/** The path of the metadata service. On a virtual machine, its host is 169.254.169.254. */
export const imdsPath = '/metadata/identity/oauth2/token';

/**
 * Emulates the instance metadata service of a virtual machine:
 * https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token
 */
export function imdsEndpoint(authority: TokenAuthority): Respond {
  return async ({ method, headers, query }) => {
    const resource = query.get('resource');
    if (method !== 'GET') return refuse('invalid_request', 'The metadata service takes only GET.');
    if (headers['metadata'] !== 'true') return refuse('invalid_request', 'Required metadata header not specified');
    if (!/^\d{4}-\d{2}-\d{2}$/.test(query.get('api-version') ?? ''))
      return refuse('invalid_request', 'Required query variable api-version is missing');
    if (!resource) return refuse('invalid_resource', "Required query variable 'resource' is missing");

    const { token, clientId, expiresAt } = await authority.issue(resource, {
      clientId: query.get('client_id') ?? undefined,
    });
    const now = Math.floor(Date.now() / 1000);
    return jsonAnswer(200, {
      access_token: token,
      client_id: clientId,
      expires_in: String(expiresAt - now),
      ext_expires_in: String(expiresAt - now),
      expires_on: String(expiresAt),
      not_before: String(now),
      resource,
      token_type: 'Bearer',
    });
  };
}

function refuse(error: string, description: string) {
  return jsonAnswer(400, { error, error_description: description });
}
