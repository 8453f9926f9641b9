import type { SchemaObject } from 'openapi3-ts/oas31';
import { IMAGE_TYPES } from '../image/image.ts';
import { type ProblemShape, texts } from './problem-shape.ts';

const image: SchemaObject = { type: 'integer', minimum: 1, description: 'Which of several images, counted from 1' };

const bytesAtMost: SchemaObject = { type: 'integer', minimum: 1, description: 'Bytes', examples: [20_971_520] };

const errors: SchemaObject = {
  type: 'array',
  minItems: 1,
  items: {
    type: 'object',
    properties: { field: { type: 'string' }, message: { type: 'string' } },
    required: ['field', 'message'],
    additionalProperties: false,
  },
  description: 'Every fault, with its field',
  examples: [[{ field: 'detail', message: 'must be auto, low or high' }]],
};

/** Problems that whoever sent the request can mend. */
export const requestProblems = {
  missing_instructions: {
    detail: 'Say what you want to know: add ?instructions=… to the URL, percent-encoded, or a field of that name.',
  },
  invalid_request: { detail: 'detail must be auto, low or high.', members: { errors }, optional: { image } },
  empty_image: {
    detail: 'There is no image in the request. Send its bytes as the body, or as a part called image.',
    optional: { image },
  },
  too_many_images: {
    detail: 'One question may have at most 10 images. Ask in several.',
    members: { limit: { type: 'integer', minimum: 1, description: 'Images', examples: [10] } },
  },
  not_found: {
    detail: 'There is no such route. There are: POST /api/processImage. GET /api/openapi.json describes them.',
    members: { routes: texts('Methods and paths', 'POST /api/processImage') },
  },
  method_not_allowed: {
    detail: 'This route does not take GET. Use POST.',
    members: { allowed: texts('Methods, as in Allow', 'POST') },
  },
  not_acceptable: {
    detail:
      'The Accept header allows none of the kinds of answer there are. Accept one of these: text/plain, application/json, text/event-stream.',
    members: { supported: texts('MIME types', 'text/plain', 'application/json', 'text/event-stream') },
  },
  request_timeout: { detail: 'The body did not arrive in time. Send it again, over a faster connection or smaller.' },
  body_too_large: {
    detail: 'The body has more than 104857600 bytes. Send fewer images, or scale them down.',
    members: { limit: bytesAtMost },
  },
  image_too_large: {
    detail: 'The image has more than 20971520 bytes. Scale it down; the model does not see more detail than that.',
    members: { limit: bytesAtMost },
    optional: { image },
  },
  unsupported_image_type: {
    detail: 'This is image/heic. Send a PNG, JPEG, WEBP or GIF; the bytes decide, not the name or the header.',
    members: {
      detected: {
        type: ['string', 'null'],
        description: 'The MIME type that the bytes look like, where they look like any',
        examples: ['image/heic'],
      },
      supported: texts('MIME types', ...IMAGE_TYPES),
    },
    optional: { image },
  },
  unsupported_encoding: {
    detail: 'The body has Content-Encoding: gzip. Send it as it is, without that header.',
    members: {
      encoding: { type: 'string', description: 'The Content-Encoding of the request', examples: ['gzip'] },
    },
  },
  animated_image: {
    detail:
      'This GIF is animated, and the model would see one frame only. Send the frame that you mean as a still image.',
    optional: { image },
  },
  corrupt_image: {
    detail: 'The JPEG is cut off before its end. Export or upload the image again.',
    optional: { image },
  },
} as const satisfies Record<string, ProblemShape>;
