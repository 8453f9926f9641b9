import type { AuthLevel } from '../../config/auth-level.ts';
import type { OperationObject, ResponseObject, SchemaObject } from 'openapi3-ts/oas31';
import type { EventStreamSchema } from '../event-stream.ts';
import { EVERYWHERE, headersOf } from '../headers.ts';
import { PIXEL } from '../pixel.ts';
import { problemResponses } from '../problem-responses.ts';
import { reference } from '../reference.ts';
import { callerRefused } from '../security.ts';
import { asChatError } from '../wording.ts';

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
