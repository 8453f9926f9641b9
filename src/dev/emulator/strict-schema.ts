/** A JSON Schema, or a part of one. */
type Schema = Readonly<Record<string, unknown>>;

/** A part of a schema to check, its path, and how many levels of objects it is in. */
type Step = readonly [path: readonly string[], part: unknown, level: number];

/**
 * Keywords that strict mode supports, from OpenAI's list of February 2026:
 * https://platform.openai.com/docs/guides/structured-outputs#supported-schemas
 */
const EVERYWHERE = ['type', 'title', 'description', 'enum', 'const'];
const BY_TYPE: Readonly<Record<string, readonly string[]>> = {
  object: ['properties', 'required', 'additionalProperties'],
  array: ['items', 'minItems', 'maxItems'],
  string: ['pattern', 'format'],
  number: ['multipleOf', 'minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'],
  integer: ['multipleOf', 'minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'],
  boolean: [],
  null: [],
};
const FORMATS = new Set(['date-time', 'time', 'date', 'duration', 'email', 'hostname', 'ipv4', 'ipv6', 'uuid']);
const MAX_PROPERTIES = 5_000;
const MAX_LEVELS = 10;
const MAX_ENUM_VALUES = 1_000;

/**
 * Returns the service's message about a schema that it refuses with `strict: true`. Undefined if it accepts the schema.
 */
export function strictFault(root: unknown): string | undefined {
  let properties = 0;
  let enumValues = 0;
  if (!isSchema(root)) return 'schema must be a JSON Schema.';
  if (root['type'] !== 'object') {
    return `schema must be a JSON Schema of 'type: "object"', got 'type: ${JSON.stringify(root['type'] ?? 'None')}'.`;
  }
  if ('anyOf' in root) return "schema must have type 'object' and not have 'anyOf' at the top level.";
  const { $schema: _draft, $defs, definitions, ...own } = root;
  const named = [...membersOf('$defs', $defs), ...membersOf('definitions', definitions)];
  return first([[[], own, 1], ...named.map(([path, part]): Step => [path, part, 1])]) ?? total();

  function total(): string | undefined {
    if (properties > MAX_PROPERTIES)
      return `Expected at most ${MAX_PROPERTIES} object properties total, got ${properties}.`;
    if (enumValues > MAX_ENUM_VALUES)
      return `Expected at most ${MAX_ENUM_VALUES} enum values total, got ${enumValues}.`;
    return undefined;
  }

  function first(parts: readonly Step[]): string | undefined {
    for (const [path, part, level] of parts) {
      const fault = faultOf(part, path, level);
      if (fault) return fault;
    }
    return undefined;
  }

  function faultOf(part: unknown, path: readonly string[], level: number): string | undefined {
    const at = `In context=(${path.map((key) => `'${key}'`).join(', ')}), `;
    if (!isSchema(part)) return `${at}schema must be an object.`;
    if ('$ref' in part) {
      const extra = Object.keys(part).find((key) => key !== '$ref');
      if (extra) return `${at}$ref cannot have keywords {'${extra}'}.`;
      return isKnown(part['$ref'])
        ? undefined
        : `${at}reference to component '${String(part['$ref'])}' which was not found in the schema.`;
    }
    if (Array.isArray(part['enum'])) enumValues += part['enum'].length;
    const types: unknown[] = [part['type'] ?? []].flat();
    if (types.length === 0 && !('anyOf' in part)) return `${at}schema must have a 'type' key.`;
    const unknownType = types.find((type) => typeof type !== 'string' || !BY_TYPE[type]);
    if (unknownType !== undefined) return `${at}${JSON.stringify(unknownType)} is not a type.`;
    const allowed = new Set([...EVERYWHERE, 'anyOf', ...types.flatMap((type) => BY_TYPE[String(type)] ?? [])]);
    const foreign = Object.keys(part).find((key) => !allowed.has(key));
    if (foreign) return `${at}'${foreign}' is not permitted.`;
    if (typeof part['format'] === 'string' && !FORMATS.has(part['format'])) {
      return `${at}'${part['format']}' is not a valid format.`;
    }
    if (types.includes('array') && !('items' in part)) return `${at}array schema missing items.`;
    return (
      (types.includes('object') ? objectFault(part, path, level) : undefined) ??
      first([
        ...('items' in part ? [[[...path, 'items'], part['items'], level] as const] : []),
        ...(Array.isArray(part['anyOf'])
          ? part['anyOf'].map((each: unknown, i) => [[...path, 'anyOf', String(i)], each, level] as const)
          : []),
      ])
    );
  }

  function objectFault(part: Schema, path: readonly string[], level: number): string | undefined {
    const at = `In context=(${path.map((key) => `'${key}'`).join(', ')}), `;
    if (level > MAX_LEVELS) return `${at}${level} levels of nesting exceeds limit of ${MAX_LEVELS}.`;
    if (part['additionalProperties'] !== false) {
      return `${at}'additionalProperties' is required to be supplied and to be false.`;
    }
    if (!isSchema(part['properties'])) return `${at}object schema missing properties.`;
    const names = Object.keys(part['properties']);
    properties += names.length;
    const required: unknown[] = Array.isArray(part['required']) ? part['required'] : [];
    const missing = names.find((name) => !required.includes(name));
    if (missing !== undefined) {
      return (
        `${at}'required' is required to be supplied and to be an array including every key in properties. ` +
        `Missing '${missing}'.`
      );
    }
    const extra = required.find((name) => !names.includes(String(name)));
    if (extra !== undefined) return `${at}'required' includes ${JSON.stringify(extra)}, which is not in properties.`;
    return first(
      Object.entries(part['properties']).map(([name, each]) => [[...path, 'properties', name], each, level + 1]),
    );
  }

  function isKnown(ref: unknown): boolean {
    return ref === '#' || named.some(([[where, name]]) => ref === `#/${where}/${name}`);
  }
}

function membersOf(where: string, definitions: unknown): [path: readonly string[], part: unknown][] {
  return isSchema(definitions) ? Object.entries(definitions).map(([name, part]) => [[where, name], part]) : [];
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
