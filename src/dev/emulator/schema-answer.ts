/** A JSON Schema, or a part of one. */
type Schema = Readonly<Record<string, unknown>>;

/** Enough for any answer, and a limit for schemas that refer to themselves. */
const MAX_DEPTH = 20;

/** Returns the smallest value that satisfies a JSON Schema of structured outputs. Every string in it is `text`. */
export function answerSchema(schema: unknown, text: string): unknown {
  return least(schema, MAX_DEPTH);

  function least(part: unknown, depth: number): unknown {
    if (!isSchema(part) || depth === 0) return null;
    const { $ref: ref, anyOf, enum: values, minItems, minimum, maxLength } = part;
    if (typeof ref === 'string') return least(resolve(ref), depth - 1);
    if (Array.isArray(anyOf)) return least(anyOf[0], depth - 1);
    if (Array.isArray(values)) return values[0];
    if ('const' in part) return part['const'];

    switch (typeOf(part)) {
      case 'string':
        return text.slice(0, Number(maxLength ?? text.length));
      case 'integer':
      case 'number':
        return Number(minimum ?? 0);
      case 'boolean':
        return true;
      case 'array':
        return Array.from({ length: Number(minItems ?? 0) }, () => least(part['items'], depth - 1));
      case 'object':
        return Object.fromEntries(requiredOf(part).map(([name, property]) => [name, least(property, depth - 1)]));
      default:
        return null;
    }
  }

  /** Follows `#` or `#/$defs/name`. */
  function resolve(ref: string): unknown {
    const keys = ref.split('/').slice(1);
    return keys.reduce((part: unknown, key) => (isSchema(part) ? part[key] : undefined), schema);
  }
}

function typeOf({ type, properties }: Schema): unknown {
  if (Array.isArray(type)) return type[0];
  return type ?? (properties ? 'object' : 'string');
}

function requiredOf({ required, properties }: Schema): [string, unknown][] {
  if (!isSchema(properties) || !Array.isArray(required)) return [];
  return Object.entries(properties).filter(([name]) => required.includes(name));
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
