import type { SchemaObject } from 'openapi3-ts/oas31';

const counts: SchemaObject = { type: ['object', 'null'] };

/** As much of OpenAI's Chat Completions as this app looks at. All else goes through as it came, so these stay open. */
export const chatSchemas: Record<string, SchemaObject> = {
  ChatRequest: {
    type: 'object',
    properties: {
      model: { type: 'string', description: "Replaced by this app's deployment" },
      messages: {
        type: 'array',
        items: { type: 'object' },
        description:
          'Parts of type `image_url` must hold data URLs, as `fetch()` reads them, and their images pass the same checks as those of /processImage',
      },
      stream: { type: ['boolean', 'null'] },
    },
    required: ['messages'],
    additionalProperties: true,
  },
  ChatCompletion: {
    type: 'object',
    properties: {
      id: { type: 'string' },
      object: { const: 'chat.completion' },
      created: { type: 'integer' },
      model: { type: 'string' },
      choices: {
        type: 'array',
        items: {
          type: 'object',
          properties: {
            index: { type: 'integer' },
            message: { type: 'object' },
            finish_reason: { type: ['string', 'null'] },
          },
          required: ['index', 'message'],
          additionalProperties: true,
        },
      },
      usage: counts,
    },
    required: ['id', 'object', 'created', 'model', 'choices'],
    additionalProperties: true,
  },
  ChatCompletionChunk: {
    type: 'object',
    properties: {
      id: { type: 'string' },
      object: {
        type: 'string',
        description:
          "`chat.completion.chunk`; empty in the first one, which brings the content filter's verdict on the prompt",
      },
      choices: {
        type: 'array',
        items: {
          type: 'object',
          properties: {
            index: { type: 'integer' },
            delta: { type: 'object' },
            finish_reason: { type: ['string', 'null'] },
          },
          required: ['index', 'delta'],
          additionalProperties: true,
        },
      },
      usage: counts,
    },
    required: ['id', 'object', 'choices'],
    additionalProperties: true,
  },
  ChatDone: { const: '[DONE]', description: 'The end of a stream; the one event whose data is not JSON' },
};
