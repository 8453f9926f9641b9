import * as v from 'valibot';

/** A JSON object with at least these members; valibot's own objects may be arrays. */
export function jsonObject<T extends v.ObjectEntries>(entries: T) {
  const schema = v.looseObject(entries);
  return v.custom<v.InferInput<typeof schema>>((value) => !Array.isArray(value) && v.is(schema, value));
}
