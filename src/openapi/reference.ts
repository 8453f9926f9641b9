import type { ReferenceObject } from 'openapi3-ts/oas31';

/** A reference to one of the document's components. */
export function reference(kind: 'schemas' | 'parameters' | 'headers' | 'examples', name: string): ReferenceObject {
  return { $ref: `#/components/${kind}/${name}` };
}
