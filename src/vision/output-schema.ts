import { isRecord } from '../config/json-object.ts';
import { invalidRequest } from '../http/invalid-request.ts';

/** What the service takes for the names and values of a schema: https://platform.openai.com/docs/guides/structured-outputs#supported-schemas */
const MAX_SCHEMA_CHARACTERS = 120_000;
const NAME = 'answer';

/** A JSON Schema that an answer is asked to satisfy. */
export interface OutputSchema {
  /** As the Chat Completions API wants it. */
  readonly responseFormat: {
    readonly type: 'json_schema';
    readonly json_schema: { name: string; schema: Record<string, unknown>; strict: boolean };
  };
  /** The object that a text is, where it satisfies the schema. */
  read(text: string): object | undefined;
}

/**
 * Checks a caller's schema before it costs a call. The checker is loaded by the first who asks for it.
 * @throws {Problem} `invalid_request`
 */
export async function prepareSchema(schema: unknown): Promise<OutputSchema> {
  if (!isRecord(schema)) throw invalid('must be a JSON Schema');
  if (schema['type'] !== 'object') throw invalid('must describe an object: its "type" is "object"');
  if (JSON.stringify(schema).length > MAX_SCHEMA_CHARACTERS)
    throw invalid(`has more than ${MAX_SCHEMA_CHARACTERS} characters`);
  const { compileSchema } = await import('./schema-compiler.ts');
  const satisfies = compileSchema(schema);
  return {
    responseFormat: { type: 'json_schema', json_schema: { name: NAME, schema, strict: isStrict(schema) } },
    read(text) {
      const value = parse(text);
      return value instanceof Object && satisfies(value) ? value : undefined;
    },
  };
}

/**
 * Whether the service can guarantee a schema: every object closed, with all its properties required. It refuses any
 * other in strict mode, so those are asked for without the guarantee and only checked here.
 */
function isStrict(schema: unknown): boolean {
  if (Array.isArray(schema)) return schema.every(isStrict);
  if (!isRecord(schema)) return true;
  const { properties, required = [], additionalProperties } = schema;
  if (isRecord(properties)) {
    const names = Object.keys(properties);
    if (additionalProperties !== false || !Array.isArray(required) || !names.every((name) => required.includes(name)))
      return false;
  }
  return Object.values(schema).every(isStrict);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function invalid(message: string) {
  return invalidRequest([{ field: 'schema', message }]);
}
