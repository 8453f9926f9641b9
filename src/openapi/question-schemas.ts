import type { ParameterObject, SchemaObject } from 'openapi3-ts/oas31';
import type { Limits } from '../config/limits.ts';
import { reference } from './components.ts';

/** A PNG of one pixel in base64, which is a short example of an image. */
export const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAMAAAAoyzS7AAAAA1BMVEVGgrQW1EH0AAAACXBIWXMAAAPoAAAD6AG1e1JrAAAACklEQVQImWNgAAAAAgAB9HFkpgAAAABJRU5ErkJggg==';

const SCHEMA_EXAMPLE = {
  type: 'object',
  properties: { boats: { type: 'integer' }, weather: { type: 'string' } },
  required: ['boats', 'weather'],
  additionalProperties: false,
};

/** How text in a body is decoded. */
const CHARSET = 'Text is UTF-8, unless its Content-Type names another charset.';

/** Schemas of a question and its options. */
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
      description: 'What you want to know. Required, and not blank. The length is counted in Unicode code points.',
      examples: ['What is in this picture?'],
    },
    Detail: {
      type: 'string',
      enum: ['high', 'low', 'auto', 'original'],
      default: 'high',
      description:
        'How closely the model looks, which decides what an image costs. gpt-5.6 does not scale an image at ' +
        '`auto` or ' +
        '`original`. Older models do not support `original`.',
    },
    MaxTokens: {
      type: 'integer',
      minimum: 1,
      maximum: limits.maxOutputTokens,
      default: limits.maxOutputTokens,
      description: 'Upper limit of the answer in tokens, including reasoning',
    },
    AnswerSchema: {
      type: 'object',
      properties: { type: { const: 'object' } },
      required: ['type'],
      additionalProperties: true,
      description: 'A JSON Schema of an object. The answer is then JSON that satisfies it, and `data` has it parsed.',
      examples: [SCHEMA_EXAMPLE],
    },
    BlobUrl: {
      type: 'string',
      format: 'uri',
      description:
        'The plain URL of a blob in a container that the app may read (`IMAGE_CONTAINERS`), without SAS, ' +
        'snapshot or version',
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

/**
 * Parameters of the query. A misspelt one, or one that belongs in the body, is an `invalid_request`. The body takes
 * precedence.
 */
export function questionParameters(): Record<string, ParameterObject> {
  return {
    instructions: {
      name: 'instructions',
      in: 'query',
      description: 'What you want to know. Required here if the body is only an image, or if the query names blobs.',
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
        'A blob to ask about. It may be repeated. The body must then be empty, and `instructions` must be in ' +
        'the query.',
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
    description:
      `Images of up to ${maxImageBytes} bytes each: data URLs or bare base64, with or without white space, or ` +
      'blobs. Other URLs are never fetched.',
  };
}

function formImages({ maxImages, maxImageBytes }: Limits): SchemaObject {
  return {
    type: 'array',
    minItems: 1,
    maxItems: maxImages,
    items: { contentMediaType: 'application/octet-stream' },
    description:
      `A part named \`image\` for each image, of up to ${maxImageBytes} bytes. The bytes decide the type, not ` +
      `the part's headers.`,
  };
}
