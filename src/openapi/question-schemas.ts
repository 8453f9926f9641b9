import type { ParameterObject, SchemaObject } from 'openapi3-ts/oas31';
import type { Limits } from '../config/limits.ts';
import { reference } from './components.ts';

/** A PNG of one pixel, in base64: the shortest example of an image. */
export const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAMAAAAoyzS7AAAAA1BMVEVGgrQW1EH0AAAACXBIWXMAAAPoAAAD6AG1e1JrAAAACklEQVQImWNgAAAAAgAB9HFkpgAAAABJRU5ErkJggg==';

const SCHEMA_EXAMPLE = {
  type: 'object',
  properties: { boats: { type: 'integer' }, weather: { type: 'string' } },
  required: ['boats', 'weather'],
  additionalProperties: false,
};

/** How text is read in a body. */
const CHARSET = 'Text is UTF-8, unless its Content-Type names another charset.';

/** The options of a question, wherever they stand. */
export function questionSchemas(limits: Limits): Record<string, SchemaObject> {
  const options = {
    instructions: reference('schemas', 'Instructions'),
    detail: reference('schemas', 'Detail'),
    maxTokens: reference('schemas', 'MaxTokens'),
    schema: reference('schemas', 'AnswerSchema'),
  };
  return {
    Instructions: {
      type: 'string',
      minLength: 1,
      maxLength: limits.maxInstructions,
      pattern: '\\S',
      description: 'What you want to know. Required, not blank. Characters are counted as Unicode code points.',
      examples: ['What is in this picture?'],
    },
    Detail: {
      type: 'string',
      enum: ['high', 'low', 'auto', 'original'],
      default: 'high',
      description:
        'How closely the model looks, which decides what an image costs. gpt-5.6 does not scale an image at `auto` or ' +
        '`original`. Older models do not know `original`.',
    },
    MaxTokens: {
      type: 'integer',
      minimum: 1,
      maximum: limits.maxOutputTokens,
      default: limits.maxOutputTokens,
      description: 'Upper limit of the answer in tokens, reasoning included',
    },
    AnswerSchema: {
      type: 'object',
      properties: { type: { const: 'object' } },
      required: ['type'],
      additionalProperties: true,
      description: 'A JSON Schema of an object. The answer is then JSON that satisfies it, and comes parsed as `data`.',
      examples: [SCHEMA_EXAMPLE],
    },
    BlobUrl: {
      type: 'string',
      format: 'uri',
      description:
        'The plain URL of a blob in one of the containers that the app may read (`IMAGE_CONTAINERS`): no SAS, snapshot or version',
      examples: ['https://photos.blob.core.windows.net/images/2026/boat.jpg'],
    },
    JsonQuestion: {
      type: 'object',
      properties: { ...options, images: jsonImages(limits) },
      required: ['images'],
      additionalProperties: false,
      description: `An option that is null or empty counts as absent. ${CHARSET}`,
    },
    FormQuestion: {
      type: 'object',
      properties: { ...options, image: formImages(limits) },
      required: ['image'],
      additionalProperties: false,
      description: `An option may be sent as a file, and counts as absent if it is empty. ${CHARSET}`,
    },
  };
}

/** What stands in the query; a misspelt name, or one of the body's, is an `invalid_request`. Names given in the body as well are taken from there. */
export function questionParameters(): Record<string, ParameterObject> {
  return {
    instructions: {
      name: 'instructions',
      in: 'query',
      description: 'What you want to know. Required here where the body is an image and nothing else.',
      schema: reference('schemas', 'Instructions'),
      example: 'What is in this picture?',
    },
    detail: {
      name: 'detail',
      in: 'query',
      description: 'How closely the model looks',
      schema: reference('schemas', 'Detail'),
    },
    maxTokens: {
      name: 'maxTokens',
      in: 'query',
      description: 'Upper limit of the answer',
      schema: reference('schemas', 'MaxTokens'),
    },
    blob: {
      name: 'blob',
      in: 'query',
      description:
        'A blob to ask about; may be repeated. The body must then be empty, and `instructions` stand in the query.',
      schema: { type: 'array', items: reference('schemas', 'BlobUrl') },
    },
  };
}

function jsonImages({ maxImages, maxImageBytes }: Limits): SchemaObject {
  return {
    type: 'array',
    minItems: 1,
    maxItems: maxImages,
    items: {
      anyOf: [
        { type: 'string', minLength: 1, examples: [`data:image/png;base64,${PIXEL}`, PIXEL] },
        {
          type: 'object',
          properties: { blob: reference('schemas', 'BlobUrl') },
          required: ['blob'],
          additionalProperties: false,
        },
      ],
    },
    description: `Images of up to ${maxImageBytes} bytes each: data URLs or bare base64, with or without white space, or blobs. No other address is fetched.`,
  };
}

function formImages({ maxImages, maxImageBytes }: Limits): SchemaObject {
  return {
    type: 'array',
    minItems: 1,
    maxItems: maxImages,
    items: { contentMediaType: 'application/octet-stream' },
    description: `One part called \`image\` for each, of up to ${maxImageBytes} bytes. The bytes decide what it is, not the part's headers.`,
  };
}
