import { isRecord } from '../config/json-object.ts';
import { invalidRequest, type Problem } from '../http/problem.ts';
import { CHECK_MS, SchemaChecker } from './schema-checker.ts';
import { isStrict } from './strict-schema.ts';

/** Characters of names and values that the service takes: https://platform.openai.com/docs/guides/structured-outputs#supported-schemas */
const MAX_CHARACTERS = 120_000;
/** Levels of JSON; the ten levels of objects that the service takes need at most sixty. */
const MAX_DEPTH = 64;
/** More than any schema that a person wrote; references can make a small schema endless work. */
const MAX_REFERENCES = 500;
const REFERENCES = new Set(['$ref', '$dynamicRef', '$recursiveRef']);
const NAME = 'answer';

/** A JSON Schema that the answer has to satisfy. */
export interface OutputSchema {
  /** As the Chat Completions API takes it. */
  readonly responseFormat: {
    readonly type: 'json_schema';
    readonly json_schema: { name: string; schema: Record<string, unknown>; strict: boolean };
  };
  /** Reads an answer: the object in it, or else what is wrong with it, to be said behind 'The answer'. */
  read(text: string): Promise<{ readonly data: object } | { readonly fault: string }>;
}

const checker = new SchemaChecker();

/**
 * Checks a caller's schema before it costs a call.
 * @throws {Problem} `invalid_request` that says which bound the schema breaks, or what is wrong with it
 */
export async function prepareSchema(schema: unknown): Promise<OutputSchema> {
  if (!isRecord(schema)) throw invalid('must be a JSON Schema, which is a JSON object');
  const excess = excessOf(schema);
  if (excess) throw invalid(excess);
  if (schema['type'] !== 'object') throw invalid('must describe an object: add "type": "object" to its top level');
  const json = JSON.stringify(schema);
  const compiled = await checker.check(json);
  if (compiled === 'stopped') {
    throw invalid(
      `takes more than ${CHECK_MS} ms of processor time, or too much memory, to compile: use fewer references and alternatives`,
    );
  }
  if (compiled.faults) throw invalidRequest(compiled.faults);
  return {
    responseFormat: { type: 'json_schema', json_schema: { name: NAME, schema, strict: isStrict(schema) } },
    async read(text) {
      const data = parse(text);
      const fault = 'does not satisfy the schema: ask again, or make the schema simpler';
      if (!isRecord(data)) return { fault };
      const checked = await checker.check(json, text);
      if (checked === 'stopped') {
        return {
          fault: `takes more than ${CHECK_MS} ms of processor time to check against the schema: make the schema simpler`,
        };
      }
      return checked.satisfied ? { data } : { fault };
    },
  };
}

/** Which bound a schema breaks. It walks no further than the bounds allow, and without recursion. */
function excessOf(schema: object): string | undefined {
  let characters = 0;
  let references = 0;
  const waiting: { readonly value: object; readonly depth: number }[] = [{ value: schema, depth: 1 }];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { value, depth } = next;
    if (depth > MAX_DEPTH) return `is nested more than ${MAX_DEPTH} levels deep`;
    for (const [name, member] of Object.entries(value)) {
      characters += (Array.isArray(value) ? 0 : name.length) + (typeof member === 'string' ? member.length : 1);
      if (REFERENCES.has(name) && typeof member === 'string') references += 1;
      if (member instanceof Object) waiting.push({ value: member, depth: depth + 1 });
    }
    if (characters > MAX_CHARACTERS) return `has more than ${MAX_CHARACTERS} characters`;
    if (references > MAX_REFERENCES) return `has more than ${MAX_REFERENCES} references ($ref)`;
  }
  return undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function invalid(message: string): Problem {
  return invalidRequest([{ field: 'schema', message }]);
}
