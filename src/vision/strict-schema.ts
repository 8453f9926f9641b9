import { isRecord } from '../config/json-object.ts';

/**
 * The types, formats and keywords that the service can guarantee, from OpenAI's list (February 2026):
 * https://platform.openai.com/docs/guides/structured-outputs#supported-schemas
 */
const TYPES = new Set(['string', 'number', 'integer', 'boolean', 'null', 'object', 'array']);
const FORMATS = new Set(['date-time', 'time', 'date', 'duration', 'email', 'hostname', 'ipv4', 'ipv6', 'uuid']);
const KEYWORDS = new Set(
  [
    'type enum const anyOf title description properties required additionalProperties',
    'items minItems maxItems pattern format multipleOf minimum maximum exclusiveMinimum exclusiveMaximum',
  ].flatMap((line) => line.split(' ')),
);
/** Keywords that are allowed at the top level only. */
const ROOT_KEYWORDS = new Set(['$schema', '$defs', 'definitions']);
const MAX_PROPERTIES = 5_000;
const MAX_OBJECTS_DEEP = 10;
const MAX_ENUM_VALUES = 1_000;
/** An enum of more than 250 values may have at most 15,000 characters in total. */
const LONG_ENUM = 250;
const MAX_LONG_ENUM_CHARACTERS = 15_000;

/**
 * Returns whether the service accepts a schema with `strict: true`: every object is closed and requires all its
 * properties, and every keyword is one that strict mode supports. The service refuses any other schema in strict mode.
 * For those, the app asks without strict mode, and relies on its own check of the answer.
 */
export function isStrict(schema: Readonly<Record<string, unknown>>): boolean {
  let properties = 0;
  let enumValues = 0;
  if (schema['type'] !== 'object' || 'anyOf' in schema) return false;
  const definitions = [schema['$defs'] ?? {}, schema['definitions'] ?? {}];
  return (
    isPart(schema, 1, true) &&
    definitions.every((part) => isRecord(part) && Object.values(part).every((each) => isPart(each, 1, false))) &&
    properties <= MAX_PROPERTIES &&
    enumValues <= MAX_ENUM_VALUES
  );

  function isPart(part: unknown, objectsDeep: number, isRoot: boolean): boolean {
    if (!isRecord(part)) return false;
    if ('$ref' in part) return Object.keys(part).length === 1 && leadsSomewhere(part['$ref']);
    if (!Object.keys(part).every((key) => KEYWORDS.has(key) || (isRoot && ROOT_KEYWORDS.has(key)))) return false;
    const { type, anyOf } = part;
    if (anyOf !== undefined) {
      const isUnion = Array.isArray(anyOf) && anyOf.every((each) => isPart(each, objectsDeep, false));
      return isUnion && (type === undefined || hasKnownTypes(part, objectsDeep));
    }
    return hasKnownTypes(part, objectsDeep);
  }

  function hasKnownTypes(part: Readonly<Record<string, unknown>>, objectsDeep: number): boolean {
    const { type, format } = part;
    const types: readonly unknown[] = Array.isArray(type) ? type : [type];
    return (
      types.length > 0 &&
      types.every((each) => typeof each === 'string' && TYPES.has(each)) &&
      (format === undefined || (typeof format === 'string' && FORMATS.has(format))) &&
      isShortEnum(part['enum']) &&
      (!types.includes('array') || isPart(part['items'], objectsDeep, false)) &&
      (types.includes('object') ? isClosed(part, objectsDeep) : !('properties' in part))
    );
  }

  function isClosed(part: Readonly<Record<string, unknown>>, objectsDeep: number): boolean {
    const { properties: members, required, additionalProperties } = part;
    if (objectsDeep > MAX_OBJECTS_DEEP || additionalProperties !== false || !isRecord(members)) return false;
    const names = Object.keys(members);
    properties += names.length;
    const isRequired = new Set(Array.isArray(required) ? required : []);
    return (
      isRequired.size === names.length &&
      names.every((name) => isRequired.has(name)) &&
      Object.values(members).every((member) => isPart(member, objectsDeep + 1, false))
    );
  }

  function isShortEnum(values: unknown): boolean {
    if (values === undefined) return true;
    if (!Array.isArray(values)) return false;
    enumValues += values.length;
    if (values.length <= LONG_ENUM) return true;
    const characters = values.map((value) => (typeof value === 'string' ? value.length : 0));
    return characters.reduce((sum, length) => sum + length, 0) <= MAX_LONG_ENUM_CHARACTERS;
  }

  function leadsSomewhere(ref: unknown): boolean {
    if (ref === '#') return true;
    const [, where = '', name = ''] = /^#\/(\$defs|definitions)\/([^/~%]+)$/.exec(String(ref)) ?? [];
    const named = schema[where];
    return isRecord(named) && Object.hasOwn(named, name);
  }
}
