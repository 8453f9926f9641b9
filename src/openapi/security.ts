import type { OpenAPIObject, ResponseObject, ResponsesObject, SecuritySchemeObject } from 'openapi3-ts/oas31';
import type { AuthLevel } from '../config/sign-in.ts';
import { type ProblemCode, problemKind } from '../http/problem-catalogue.ts';
import { schemaOf, type ProblemFormat } from './problem-schemas.ts';

const functionKeys: Record<string, SecuritySchemeObject> = {
  functionKeyHeader: {
    type: 'apiKey',
    in: 'header',
    name: 'x-functions-key',
    description: 'A function key of the app',
  },
  functionKeyQuery: {
    type: 'apiKey',
    in: 'query',
    name: 'code',
    description: 'The same key in the query. Prefer the header, because URLs end up in logs.',
  },
};

const entraToken: SecuritySchemeObject = {
  type: 'http',
  scheme: 'bearer',
  bearerFormat: 'JWT',
  description: "An Entra access token of the service's tenant, issued for its application",
};

/**
 * Describes how callers sign in: with a function key, with a token, or not at all if something in front checks callers.
 */
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
 * Describes the responses to callers who are not allowed. They come from the Functions host, or from the app itself.
 * @param format - the format of the route's problems
 */
export function callerRefused(authLevel: AuthLevel, format: ProblemFormat): ResponsesObject {
  switch (authLevel) {
    case 'anonymous':
      return {};
    case 'token':
      return { '401': refusal('unauthenticated', format), '403': refusal('caller_not_allowed', format) };
    case 'function':
      return {
        '401': {
          description:
            'The function key is missing or wrong. This response comes from the Functions host and has no body.',
        },
      };
  }
}

function refusal(code: ProblemCode, format: ProblemFormat): ResponseObject {
  return {
    description: `\`${code}\`: ${problemKind(code).title}`,
    content: { [format.mediaType]: { schema: schemaOf(code, format) } },
  };
}
