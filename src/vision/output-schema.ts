import { isRecord } from '../config/json-object.ts';
import { runStep } from '../http/event-loop.ts';
import { invalidRequest, type Problem } from '../http/problem.ts';
import { CHECK_MS, SchemaChecker } from './schema-checker.ts';
import { isStrict } from './strict-schema.ts';

/**
 * The service's limit on characters of names and values:
 * https://platform.openai.com/docs/guides/structured-outputs#supported-schemas
 */
const MAX_CHARACTERS = 120_000;
/** Half of a surrogate pair, as `JSON.stringify` escapes it. The backslash before it is not escaped itself. */
const LONE_SURROGATE = /(?<!\\)(?:\\\\)*\\ud[89a-f]/;
/** Levels of nested JSON. The service takes ten levels of objects, which need at most sixty levels of JSON. */
const MAX_DEPTH = 64;
/**
 * More references than a hand-written schema has. With references, even a small schema can take for ever to compile.
 */
const MAX_REFERENCES = 500;
const REFERENCES = new Set(['$ref', '$dynamicRef', '$recursiveRef']);
const NAME = 'answer';

/** A JSON Schema that the answer must satisfy. */
export interface OutputSchema {
  /** The schema as the Chat Completions API takes it. */
  readonly responseFormat: {
    readonly type: 'json_schema';
    readonly json_schema: { name: string; schema: Record<string, unknown>; strict: boolean };
  };
  /** Reads an answer. Returns the object in it, or a fault that completes the sentence 'The answer …'. */
  read(text: string): Promise<{ readonly data: object } | { readonly fault: string }>;
}

const checker = new SchemaChecker();

/**
 * Checks a caller's schema before the model is called, because the call costs money.
 * @throws {Problem} `invalid_request` if the schema breaks a limit, is not valid, or cannot be compiled; `overloaded`
 * if too many schemas wait to be checked
 */
export async function prepareSchema(schema: unknown): Promise<OutputSchema> {
  if (!isRecord(schema)) throw invalid('must be a JSON Schema, which is a JSON object');
  const excess = await runStep(() => excessOf(schema));
  if (excess) throw invalid(excess);
  if (schema['type'] !== 'object') throw invalid('must describe an object: add "type": "object" to its top level');
  const json = await runStep(() => JSON.stringify(schema));
  if (LONE_SURROGATE.test(json)) throw invalid('has half of a surrogate pair, which is not a character');
  const compiled = await checker.check(json);
  if (compiled === 'stopped') {
    throw invalid(
      `takes more than ${CHECK_MS} ms of processor time, or too much memory, to compile: use fewer references ` +
        'and alternatives',
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
          fault:
            `takes more than ${CHECK_MS} ms of processor time to check against the schema: make the schema ` +
            'simpler',
        };
      }
      return checked.satisfied ? { data } : { fault };
    },
  };
}

/**
 * Says which limit a schema breaks. It stops at the first one and does not recurse, so that any schema is safe to
 * check.
 */
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
