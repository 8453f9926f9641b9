import * as v from 'valibot';

/** A JSON object with at least these members; valibot's own objects may be arrays. */
export function jsonObject<T extends v.ObjectEntries>(entries: T) {
  const schema = v.looseObject(entries);
  return v.custom<v.InferInput<typeof schema>>((value) => !Array.isArray(value) && v.is(schema, value));
}

/** Whether a value is a JSON object: neither null nor an array. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return value instanceof Object && !Array.isArray(value);
}

/** Parses JSON; undefined if the text is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
