import type { AuthLevel } from '../../config/sign-in.ts';
import type { OperationObject, ResponseObject, SchemaObject } from 'openapi3-ts/oas31';
import type { EventStreamSchema } from '../event-stream.ts';
import { EVERYWHERE, headersOf, reference } from '../components.ts';
import { PIXEL } from '../question-schemas.ts';
import { problemResponses } from '../problem-responses.ts';
import { callerRefused } from '../security.ts';
import { asChatError } from '../problem-schemas.ts';

/** The event for a problem after a stream has begun. It has the API's members, and `error`, which clients look for. */
const errorEvent: SchemaObject = {
  type: 'object',
  properties: {
    type: { const: 'error' },
    sequence_number: { type: 'integer' },
    code: { type: ['string', 'null'] },
    message: { type: 'string' },
    param: { type: ['string', 'null'] },
    error: {
      type: 'object',
      description: 'The problem, the same as `error` in a response that fails before the stream begins',
    },
  },
  required: ['type', 'sequence_number', 'code', 'message', 'param', 'error'],
};

const stream: EventStreamSchema = {
  type: 'string',
  contentMediaType: 'text/event-stream',
  description: 'Events, each named by its type. The last one is an error if the answer breaks off.',
  contentSchema: {
    type: 'array',
    items: {
      type: 'object',
      properties: {
        event: { type: 'string' },
        data: { anyOf: [reference('schemas', 'ResponseEvent'), errorEvent] },
      },
      required: ['event', 'data'],
      additionalProperties: false,
    },
  },
};

const answered: ResponseObject = {
  description: "The model's answer, unchanged: JSON, or events if `stream` is true",
  headers: headersOf(...EVERYWHERE, 'server-timing'),
  content: {
    'application/json': { schema: reference('schemas', 'ModelResponse') },
    'text/event-stream': {
      schema: stream,
      example: 'event: response.completed\ndata: {"type":"response.completed"}\n\n',
    },
  },
};

/** `POST /responses` */
export function responses(authLevel: AuthLevel): OperationObject {
  return {
    operationId: 'responses',
    tags: ['ask'],
    summary: "OpenAI's Responses, without a key to the model; nothing is stored",
    description:
      "Any OpenAI client works. Use this app's `/api` as the base URL, and send the function key as the " +
      'default header `x-functions-key`.',
    externalDocs: {
      description: "OpenAI's reference",
      url: 'https://platform.openai.com/docs/api-reference/responses/create',
    },
    requestBody: {
      required: true,
      content: {
        'application/json': {
          schema: reference('schemas', 'ResponsesRequest'),
          example: {
            input: [
              {
                role: 'user',
                content: [
                  { type: 'input_text', text: 'What colour is this?' },
                  { type: 'input_image', image_url: `data:image/png;base64,${PIXEL}` },
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

/**
 * The part of OpenAI's Responses and Models that this app reads. The rest passes unchanged, so most of them are open.
 */
export const responsesSchemas: Record<string, SchemaObject> = {
  ResponsesRequest: {
    type: 'object',
    properties: {
      model: { type: 'string', description: "Replaced by this app's deployment" },
      input: {
        type: ['string', 'array', 'null'],
        items: { type: 'object' },
        description:
          'Parts of type `input_image` must have data URLs. Their images get the same checks as those of ' +
          '/processImage. ' +
          'Parts of type `input_file` must have PDF files as data URLs. References to stored items are refused.',
      },
      stream: { type: ['boolean', 'null'] },
      store: { type: ['boolean', 'null'], description: 'Ignored. The app always sends false.' },
      previous_response_id: {
        type: 'null',
        description: 'Refused, because nothing is stored. The same goes for `conversation`.',
      },
      background: { enum: [false, null], description: 'Refused if it is true, because nothing is stored' },
    },
    additionalProperties: true,
  },
  ModelResponse: {
    type: 'object',
    properties: {
      id: { type: 'string' },
      object: { const: 'response' },
      status: { type: 'string', examples: ['completed', 'incomplete'] },
      model: { type: 'string' },
      output: { type: 'array', items: { type: 'object' } },
      usage: { type: ['object', 'null'] },
    },
    required: ['id', 'object', 'output'],
    additionalProperties: true,
  },
  ResponseEvent: {
    type: 'object',
    properties: { type: { type: 'string', pattern: '^response\\.' }, sequence_number: { type: 'integer' } },
    required: ['type'],
    additionalProperties: true,
  },
  ModelObject: {
    type: 'object',
    properties: {
      id: { type: 'string', minLength: 1, description: "The deployment's name" },
      object: { const: 'model' },
      created: { type: 'integer', description: 'Always 0, because only the control plane knows the time' },
      owned_by: { type: 'string' },
    },
    required: ['id', 'object', 'created', 'owned_by'],
    additionalProperties: false,
    examples: [{ id: 'gpt-vision', object: 'model', created: 0, owned_by: 'azure' }],
  },
};
