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
    'Empty if the query names blobs; otherwise the bytes of one image, with all else in the query; or a form, or JSON, with one or several images. Any type not listed is read as an image: PNG, JPEG, WEBP, GIF, HEIC, AVIF or TIFF. One with an EXIF orientation is turned upright, the last three become JPEG, or PNG if they are transparent, and metadata is removed, unless the app runs with PREPARE_IMAGES=off. The body must not be compressed.',
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
    "The model's answer; Accept says in which of three kinds. `*/*`, `*` and no Accept at all mean text, and parameters other than `q` are ignored.",
  headers: headersOf(...EVERYWHERE, 'server-timing'),
  content: {
    'text/plain': {
      schema: { type: 'string', description: "The model's words and nothing else; with `schema`, the JSON text" },
      example: WORDS,
    },
    'application/json': { schema: reference('schemas', 'Answer') },
    'text/event-stream': {
      schema: eventStream(
        '`delta`, with words as the model has them; then one `done`, the whole answer, or one `error`. Comment lines fill silences.',
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
