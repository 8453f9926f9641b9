import type { AuthLevel } from '../../config/sign-in.ts';
import type { OperationObject, ResponseObject, SchemaObject } from 'openapi3-ts/oas31';
import { eventStream } from '../event-stream.ts';
import { EVERYWHERE, headersOf, reference } from '../components.ts';
import { PIXEL } from '../question-schemas.ts';
import { problemResponses } from '../problem-responses.ts';
import { asChatError, oneOfProblems } from '../problem-schemas.ts';
import { callerRefused } from '../security.ts';

const answered: ResponseObject = {
  description: "The model's answer, unchanged: JSON, or events if `stream` is true",
  headers: headersOf(...EVERYWHERE, 'server-timing'),
  content: {
    'application/json': { schema: reference('schemas', 'ChatCompletion') },
    'text/event-stream': {
      schema: eventStream(
        'Chunks, and then `[DONE]`, or an error if the answer breaks off. The events have no names, so their ' +
          'name is `message`.',
        {
          message: {
            anyOf: [
              reference('schemas', 'ChatCompletionChunk'),
              reference('schemas', 'ChatDone'),
              oneOfProblems(asChatError.codes, asChatError),
            ],
          },
        },
      ),
      example: 'data: [DONE]\n\n',
    },
  },
};

/** `POST /chat/completions` */
export function chatCompletions(authLevel: AuthLevel): OperationObject {
  return {
    operationId: 'chatCompletions',
    tags: ['ask'],
    summary: "OpenAI's Chat Completions, without a key to the model",
    description:
      "Any OpenAI client works. Use this app's `/api` as the base URL, and send the function key as the " +
      'default header `x-functions-key`.',
    externalDocs: {
      description: "OpenAI's reference",
      url: 'https://platform.openai.com/docs/api-reference/chat/create',
    },
    requestBody: {
      required: true,
      content: {
        'application/json': {
          schema: reference('schemas', 'ChatRequest'),
          example: {
            messages: [
              {
                role: 'user',
                content: [
                  { type: 'text', text: 'What colour is this?' },
                  { type: 'image_url', image_url: { url: `data:image/png;base64,${PIXEL}` } },
                ],
              },
            ],
          },
        },
      },
    },
    responses: { '200': answered, ...callerRefused(authLevel, asChatError), ...problemResponses(asChatError) },
  };
}

const counts: SchemaObject = { type: ['object', 'null'] };

/** The part of OpenAI's Chat Completions that this app reads. The rest passes unchanged, so these schemas are open. */
export const chatSchemas: Record<string, SchemaObject> = {
  ChatRequest: {
    type: 'object',
    properties: {
      model: { type: 'string', description: "Replaced by this app's deployment" },
      messages: {
        type: 'array',
        items: { type: 'object' },
        description:
          'Parts of type `image_url` must have data URLs, which are read as `fetch()` reads them. Their images ' +
          'get the same checks as those of /processImage.',
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
        description: "`chat.completion.chunk`. Empty in a first chunk with the content filter's result for the prompt.",
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
  ChatDone: { const: '[DONE]', description: 'The end of a stream. It is the only event whose data is not JSON.' },
};
