import { Ajv2020 } from 'ajv/dist/2020.js';
import { invalidRequest } from '../http/invalid-request.ts';

/**
 * Makes a check of a caller's JSON Schema (2020-12, and what older drafts share with it).
 * Regular expressions in it are not run: one could be made to take for ever, and the service has its own check.
 * @throws {Problem} `invalid_request` with what is wrong with it
 */
export function compileSchema(schema: Record<string, unknown>): (value: unknown) => boolean {
  const ajv = new Ajv2020({ strict: false, validateFormats: false, logger: false, allErrors: true });
  // An older draft's name for itself is one that this checker has no copy of.
  const { $schema: _draft, $id: _id, ...own } = schema;
  if (!ajv.validateSchema(own)) {
    throw invalidRequest(
      (ajv.errors ?? []).map(({ instancePath, message = 'is wrong' }) => ({ field: `schema${instancePath}`, message })),
    );
  }
  if (JSON.stringify(own).includes('"patternProperties"'))
    throw unusable('uses patternProperties, which structured output does not know');
  ajv.removeKeyword('pattern');
  try {
    const check = ajv.compile(own);
    check({}); // one that refers to itself for ever does so here
    return (value) => check(value);
  } catch {
    throw unusable('cannot be used: a $ref in it leads nowhere, or back to itself');
  }
}

function unusable(message: string) {
  return invalidRequest([{ field: 'schema', message }]);
}
