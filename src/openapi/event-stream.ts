import type { ReferenceObject, SchemaObject } from 'openapi3-ts/oas31';

/** The schema of a stream of events, with the schema of its events in `contentSchema`. */
export interface EventStreamSchema extends SchemaObject {
  readonly contentSchema: SchemaObject;
}

/**
 * Creates the schema of a stream of server-sent events. OpenAPI 3.1 has no keyword for it (3.2 has `itemSchema`). So
 * the stream is described as a string whose content, once parsed, is an array of events with parsed data.
 * @param events - the schema of the data by the name of the event
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
