import type { AuthLevel } from '../../config/auth-level.ts';
import type { OperationObject, ResponseObject } from 'openapi3-ts/oas31';
import { eventStream } from '../event-stream.ts';
import { EVERYWHERE, headersOf } from '../headers.ts';
import { PIXEL } from '../pixel.ts';
import { problemResponses } from '../problem-responses.ts';
import { oneOfProblems } from '../problem-schemas.ts';
import { reference } from '../reference.ts';
import { callerRefused } from '../security.ts';
import { asChatError } from '../wording.ts';

const answered: ResponseObject = {
  description: 'What the model answered, as it came: JSON, or events where `stream` is true',
  headers: headersOf(...EVERYWHERE, 'server-timing'),
  content: {
    'application/json': { schema: reference('schemas', 'ChatCompletion') },
    'text/event-stream': {
      schema: eventStream(
        'Chunks, then `[DONE]`; or an error, where the answer breaks off. The events have no names, which makes all of them `message`.',
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
      "Any OpenAI client works: its base URL is this app's `/api`, and a function key goes into its default headers as `x-functions-key`.",
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
