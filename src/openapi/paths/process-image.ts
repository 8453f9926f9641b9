import type { AuthLevel } from '../../config/sign-in.ts';
import type { OperationObject, RequestBodyObject, ResponseObject } from 'openapi3-ts/oas31';
import { CONVERTED_TYPES, IMAGE_TYPES } from '../../image/image.ts';
import { eventStream } from '../event-stream.ts';
import { EVERYWHERE, headersOf, reference } from '../components.ts';
import { PIXEL } from '../question-schemas.ts';
import { problemResponses } from '../problem-responses.ts';
import { asProblem, oneOfProblems } from '../problem-schemas.ts';
import { callerRefused } from '../security.ts';

const WORDS = 'A sailing boat on a calm sea at sunset.';

const requestBody: RequestBodyObject = {
  required: false,
  description:
    'The bytes of one image, with the options in the query; or a form or JSON with one or several images; or ' +
    'empty, if the query names blobs. A body of any other type is read as an image. Images are PNG, JPEG, ' +
    'WEBP, GIF, HEIC, AVIF or TIFF. Unless PREPARE_IMAGES is off, the app turns an image upright by its EXIF ' +
    'orientation, converts HEIC, AVIF and TIFF to JPEG (or PNG if they are transparent), and removes ' +
    'metadata. The body must not be compressed.',
  content: {
    'image/*': { schema: { contentMediaType: 'application/octet-stream' } },
    'application/octet-stream': { schema: { contentMediaType: 'application/octet-stream' } },
    'multipart/form-data': {
      schema: reference('schemas', 'FormQuestion'),
      encoding: {
        image: { contentType: [...IMAGE_TYPES, ...CONVERTED_TYPES].join(', ') },
        schema: { contentType: 'application/json' },
      },
    },
    'application/json': {
      schema: reference('schemas', 'JsonQuestion'),
      example: { instructions: 'What colour is this?', images: [`data:image/png;base64,${PIXEL}`], maxTokens: 200 },
    },
  },
};

const answered: ResponseObject = {
  description:
    "The model's answer, in the type that Accept chooses. `*/*`, `*` and no Accept mean text. Parameters other " +
    'than `q` are ignored.',
  headers: headersOf(...EVERYWHERE, 'server-timing'),
  content: {
    'text/plain': {
      schema: { type: 'string', description: "Only the model's text. With `schema`, it is JSON." },
      example: WORDS,
    },
    'application/json': { schema: reference('schemas', 'Answer') },
    'text/event-stream': {
      schema: eventStream(
        '`delta` events with text as it arrives, and then one `done` with the whole answer, or one `error`. ' +
          'Comment lines keep the connection alive.',
        {
          delta: reference('schemas', 'Delta'),
          done: reference('schemas', 'Answer'),
          error: oneOfProblems(asProblem.codes, asProblem),
        },
      ),
      example: `event: delta\ndata: {"text":"A sailing "}\n\nevent: delta\ndata: {"text":"boat."}\n\n`,
    },
  },
};

/** `POST /processImage` */
export function processImage(authLevel: AuthLevel): OperationObject {
  return {
    operationId: 'processImage',
    tags: ['ask'],
    summary: 'Ask about one or several images',
    parameters: ['instructions', 'detail', 'maxTokens', 'blob'].map((name) => reference('parameters', name)),
    requestBody,
    responses: { '200': answered, ...callerRefused(authLevel, asProblem), ...problemResponses(asProblem) },
  };
}
