import type { AuthLevel } from '../../config/sign-in.ts';
import type { OperationObject, ResponseObject, SchemaObject } from 'openapi3-ts/oas31';
import type { EventStreamSchema } from '../event-stream.ts';
import { EVERYWHERE, headersOf, reference } from '../components.ts';
import { PIXEL } from '../question-schemas.ts';
import { problemResponses } from '../problem-responses.ts';
import { callerRefused } from '../security.ts';
import { asChatError } from '../problem-schemas.ts';

/** Tells a problem behind the beginning of a stream, as an event of the API and as its clients look for it. */
const errorEvent: SchemaObject = {
  type: 'object',
  properties: {
    type: { const: 'error' },
    sequence_number: { type: 'integer' },
    code: { type: ['string', 'null'] },
    message: { type: 'string' },
    param: { type: ['string', 'null'] },
    error: { type: 'object', description: 'The problem, as `error` says it in an answer that fails at once' },
  },
  required: ['type', 'sequence_number', 'code', 'message', 'param', 'error'],
};

const stream: EventStreamSchema = {
  type: 'string',
  contentMediaType: 'text/event-stream',
  description: 'Events, each named by its type; the last is an error where the answer breaks off',
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
  description: 'What the model answered, as it came: JSON, or events where `stream` is true',
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
    summary: "OpenAI's Responses, without a key to the model, and stored nowhere",
    description:
      "Any OpenAI client works: its base URL is this app's `/api`, and a function key goes into its default headers as `x-functions-key`.",
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

/** As much of OpenAI's Responses and Models as this app looks at. All else goes through as it came, so these stay open. */
export const responsesSchemas: Record<string, SchemaObject> = {
  ResponsesRequest: {
    type: 'object',
    properties: {
      model: { type: 'string', description: "Replaced by this app's deployment" },
      input: {
        type: ['string', 'array', 'null'],
        items: { type: 'object' },
        description:
          'Parts of type `input_image` must hold data URLs, and their images pass the same checks as those of /processImage. ' +
          'Parts of type `input_file` must hold PDF files as data URLs. Items that refer to stored ones are refused',
      },
      stream: { type: ['boolean', 'null'] },
      store: { type: ['boolean', 'null'], description: 'Sent as false, whatever it says' },
      previous_response_id: { type: 'null', description: 'Refused, since nothing is stored; so is `conversation`' },
      background: { enum: [false, null], description: 'Refused where it is true, since nothing is stored' },
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
      created: { type: 'integer', description: '0: only the control plane knows' },
      owned_by: { type: 'string' },
    },
    required: ['id', 'object', 'created', 'owned_by'],
    additionalProperties: false,
    examples: [{ id: 'gpt-vision', object: 'model', created: 0, owned_by: 'azure' }],
  },
};
