import type { OpenAPIObject, ResponsesObject, SecuritySchemeObject } from 'openapi3-ts/oas31';

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

/** Who may call: the bearer of a function key, or anybody, where something in front of the app guards it. */
export function securityOf(
  authLevel: 'function' | 'anonymous',
): Required<Pick<OpenAPIObject, 'security'>> & { securitySchemes: Record<string, SecuritySchemeObject> } {
  if (authLevel === 'anonymous') return { security: [], securitySchemes: {} };
  return { security: [{ functionKeyHeader: [] }, { functionKeyQuery: [] }], securitySchemes: functionKeys };
}

/** What the Functions host says, before the app is asked, to a caller without a key that it knows. */
export function keyRefused(authLevel: 'function' | 'anonymous'): ResponsesObject {
  return authLevel === 'function'
    ? { '401': { description: 'No function key, or a wrong one: from the Functions host, without a body' } }
    : {};
}
