import type { OpenAPIObject, ResponseObject, ResponsesObject, SecuritySchemeObject } from 'openapi3-ts/oas31';
import type { AuthLevel } from '../config/sign-in.ts';
import { type ProblemCode, problemKind } from '../http/problem-catalogue.ts';
import { schemaOf, type Wording } from './problem-schemas.ts';

const functionKeys: Record<string, SecuritySchemeObject> = {
  functionKeyHeader: {
    type: 'apiKey',
    in: 'header',
    name: 'x-functions-key',
    description: 'A function key of the app, as a header',
  },
  functionKeyQuery: {
    type: 'apiKey',
    in: 'query',
    name: 'code',
    description: 'The same key in the query; it ends up in logs, so prefer the header',
  },
};

const entraToken: SecuritySchemeObject = {
  type: 'http',
  scheme: 'bearer',
  bearerFormat: 'JWT',
  description: "An Entra access token of the service's tenant, issued for its application",
};

/** Who may call: the bearer of a function key or of a token, or anybody, if something in front of the app checks callers. */
export function securityOf(
  authLevel: AuthLevel,
): Required<Pick<OpenAPIObject, 'security'>> & { securitySchemes: Record<string, SecuritySchemeObject> } {
  switch (authLevel) {
    case 'anonymous':
      return { security: [], securitySchemes: {} };
    case 'token':
      return { security: [{ entraToken: [] }], securitySchemes: { entraToken } };
    case 'function':
      return { security: [{ functionKeyHeader: [] }, { functionKeyQuery: [] }], securitySchemes: functionKeys };
  }
}

/**
 * What a caller who may not call is answered: by the Functions host before the app is asked, or by the app itself.
 * @param wording - of the route's problems
 */
export function callerRefused(authLevel: AuthLevel, wording: Wording): ResponsesObject {
  switch (authLevel) {
    case 'anonymous':
      return {};
    case 'token':
      return { '401': refusal('unauthenticated', wording), '403': refusal('caller_not_allowed', wording) };
    case 'function':
      return { '401': { description: 'No function key, or a wrong one: from the Functions host, without a body' } };
  }
}

function refusal(code: ProblemCode, wording: Wording): ResponseObject {
  return {
    description: `\`${code}\`: ${problemKind(code).title}`,
    content: { [wording.mediaType]: { schema: schemaOf(code, wording) } },
  };
}
