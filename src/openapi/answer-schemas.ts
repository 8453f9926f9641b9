import type { SchemaObject } from 'openapi3-ts/oas31';
import { usage } from '../http/problem-catalogue.ts';
import { IMAGE_TYPES } from '../image/image.ts';
import { reference } from './components.ts';

/** Schemas of the answer to a question, and of the pieces of a streamed answer. */
export const answerSchemas: Record<string, SchemaObject> = {
  Answer: {
    type: 'object',
    properties: {
      answer: { type: 'string', description: "The model's text. With a schema, it is JSON." },
      data: {
        type: ['object', 'null'],
        description: 'The answer as an object, if you sent a schema. Null if the model refused.',
      },
      refusal: { type: ['string', 'null'], description: 'What the model said instead of an answer, if it refused' },
      finishReason: {
        type: 'string',
        description: 'Why the answer ended',
        examples: ['stop', 'length', 'content_filter'],
      },
      model: {
        type: 'string',
        description: 'Name and version of the model, which may change behind a deployment. Empty if not known.',
      },
      usage: reference('schemas', 'Usage'),
      images: {
        type: 'array',
        minItems: 1,
        items: reference('schemas', 'ImageFacts'),
        description: 'The images as they were sent to the model, upright and converted, in the order of your request',
      },
      requestId: { type: 'string', minLength: 1 },
      upstreamRequestId: {
        type: ['string', 'null'],
        description: "Azure's id of the request, for its support",
      },
    },
    required: ['answer', 'refusal', 'finishReason', 'model', 'usage', 'images', 'requestId', 'upstreamRequestId'],
    additionalProperties: false,
    examples: [
      {
        answer: 'A sailing boat on a calm sea at sunset.',
        refusal: null,
        finishReason: 'stop',
        model: 'gpt-5.4-mini-2026-03-17',
        usage: { inputTokens: 796, cachedInputTokens: 0, outputTokens: 75, reasoningTokens: 64, totalTokens: 871 },
        images: [{ type: 'image/jpeg', width: 960, height: 640, bytes: 20_138 }],
        requestId: '3f0c1f0a-6a0b-4a43-9f0e-0d6a7c1b2e55',
        upstreamRequestId: 'b1f5b1c8-5d0e-4c7e-8d54-7c2ad2b1e0aa',
      },
    ],
  },
  Usage: usage,
  ImageFacts: {
    type: 'object',
    description: 'One image as it was sent to the model: type, width and height in pixels, and length in bytes',
    properties: {
      type: { type: 'string', enum: [...IMAGE_TYPES] },
      width: { type: 'integer', minimum: 1 },
      height: { type: 'integer', minimum: 1 },
      bytes: { type: 'integer', minimum: 1 },
    },
    required: ['type', 'width', 'height', 'bytes'],
    additionalProperties: false,
  },
  Delta: {
    type: 'object',
    description: 'The next piece of the answer',
    properties: { text: { type: 'string', minLength: 1 } },
    required: ['text'],
    additionalProperties: false,
  },
};
