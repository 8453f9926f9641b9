import { z } from 'zod';

const Schema = z.looseObject({
  type: z.union([z.string(), z.array(z.string())]).optional(),
  enum: z.array(z.unknown()).optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
});

/** The least value that a JSON Schema allows, as far as structured outputs go; every string in it is `text`. */
export function answerSchema(schema: unknown, text: string): unknown {
  const { type, enum: values, properties = {} } = Schema.parse(schema);
  if (values) return values[0];
  switch (Array.isArray(type) ? type[0] : type) {
    case 'string':
      return text;
    case 'integer':
    case 'number':
      return 0;
    case 'boolean':
      return true;
    case 'array':
      return [];
    case 'null':
      return null;
    default:
      return Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, answerSchema(property, text)]));
  }
}
