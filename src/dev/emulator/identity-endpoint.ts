import { jsonAnswer } from './answer.ts';
import type { Respond } from './endpoint.ts';
import type { TokenAuthority } from './tokens.ts';

/** The path of the identity endpoint. Apps find it through `IDENTITY_ENDPOINT`. */
export const identityPath = '/msi/token';

/** Emulates the managed identity endpoint of App Service and Functions, api-version 2019-08-01. */
export function identityEndpoint(authority: TokenAuthority, secret: string): Respond {
  return async ({ method, headers, query }) => {
    const resource = query.get('resource');
    if (method !== 'GET') return refuse(405, 'The identity endpoint takes only GET.');
    if (headers['x-identity-header'] !== secret) {
      return refuse(401, 'The X-IDENTITY-HEADER header is missing or is not the value of IDENTITY_HEADER.');
    }
    if (query.get('api-version') !== '2019-08-01') return refuse(400, "The api-version must be '2019-08-01'.");
    if (!resource) return refuse(400, "The 'resource' to issue a token for is missing.");

    const { token, clientId, expiresAt } = await authority.issue(resource, {
      clientId: query.get('client_id') ?? undefined,
    });
    return jsonAnswer(200, {
      access_token: token,
      expires_on: String(expiresAt),
      resource,
      token_type: 'Bearer',
      client_id: clientId,
    });
  };
}

function refuse(statusCode: number, message: string) {
  return jsonAnswer(statusCode, { statusCode, message });
}
