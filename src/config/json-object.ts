import * as v from 'valibot';

/** Makes the schema of a JSON object with at least these members. Unlike valibot's `looseObject`, it rejects arrays. */
export function jsonObject<T extends v.ObjectEntries>(entries: T) {
  const schema = v.looseObject(entries);
  return v.custom<v.InferInput<typeof schema>>((value) => !Array.isArray(value) && v.is(schema, value));
}

/** Whether a value is a JSON object: neither null nor an array. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return value instanceof Object && !Array.isArray(value);
}

/** Parses JSON. Returns undefined if the text is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
