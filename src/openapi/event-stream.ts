import type { ReferenceObject, SchemaObject } from 'openapi3-ts/oas31';

/** A text that is a stream of events, and what each of its events is. */
export interface EventStreamSchema extends SchemaObject {
  readonly contentSchema: SchemaObject;
}

/**
 * The schema of a stream of server-sent events, by the name of each and the schema of its data. OpenAPI 3.1 has no word
 * for it (3.2 has `itemSchema`), so the stream is a text whose content, once read, is an array of events with parsed data.
 */
export function eventStream(
  description: string,
  events: Readonly<Record<string, SchemaObject | ReferenceObject>>,
): EventStreamSchema {
  const schemas = Object.entries(events).map(([event, data]): SchemaObject => ({
    type: 'object',
    properties: { event: { const: event }, data },
    required: ['event', 'data'],
    additionalProperties: false,
  }));
  const items = schemas.length > 1 ? { oneOf: schemas } : (schemas[0] ?? {});
  return {
    type: 'string',
    contentMediaType: 'text/event-stream',
    description,
    contentSchema: { type: 'array', items },
  };
}
