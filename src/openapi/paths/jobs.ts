import type { OperationObject, ParameterObject, ResponseObject, SchemaObject } from 'openapi3-ts/oas31';
import type { AuthLevel } from '../../config/sign-in.ts';
import { EVERYWHERE, headersOf, reference } from '../components.ts';
import { problemResponses } from '../problem-responses.ts';
import { callerRefused } from '../security.ts';
import { asProblem } from '../problem-schemas.ts';

const count: SchemaObject = { type: 'integer', minimum: 0 };
const tier: SchemaObject = { type: 'string', enum: ['flex', 'standard'] };
const id: ParameterObject = {
  name: 'id',
  in: 'path',
  required: true,
  schema: { type: 'string', format: 'uuid' },
  example: '3f0c1f0a-6a0b-4a43-9f0e-0d6a7c1b2e55',
};

/** Schemas of jobs, for `components`. */
export const jobSchemas: Record<string, SchemaObject> = {
  JobRequest: {
    type: 'object',
    properties: {
      source: {
        type: 'string',
        format: 'uri',
        description:
          'The URL of a container in `IMAGE_CONTAINERS`, or of a prefix of blob names in it. The job asks ' +
          'about every blob there.',
        examples: ['https://photos.blob.core.windows.net/images/2026/'],
      },
      instructions: reference('schemas', 'Instructions'),
      detail: reference('schemas', 'Detail'),
      maxTokens: reference('schemas', 'MaxTokens'),
      schema: reference('schemas', 'AnswerSchema'),
      tier: {
        ...tier,
        description:
          '`flex` costs half and may take longer. Only some models offer it. With any other model, the job ' +
          'fails and says why.',
      },
      fallback: {
        type: 'boolean',
        default: false,
        description: 'Whether to ask about an image at the standard price after flex has refused it for 10 minutes',
      },
    },
    required: ['source', 'instructions', 'tier'],
    additionalProperties: false,
  },
  Job: {
    type: 'object',
    properties: {
      id: { type: 'string', format: 'uuid' },
      status: { type: 'string', enum: ['listing', 'running', 'done', 'cancelled', 'failed'] },
      found: { ...count, description: 'Images found so far' },
      answered: count,
      failed: { ...count, description: 'Images whose result is a problem' },
      usage: reference('schemas', 'Usage'),
      startedAt: { type: 'string', format: 'date-time' },
      finishedAt: { type: ['string', 'null'], format: 'date-time' },
      problem: {
        type: 'object',
        description: 'Why the job failed, or is done without any image',
        additionalProperties: true,
      },
    },
    required: ['id', 'status', 'found', 'answered', 'failed', 'usage', 'startedAt', 'finishedAt'],
    additionalProperties: false,
  },
  JobResult: {
    type: 'object',
    description: 'One line of the results',
    properties: {
      blob: reference('schemas', 'BlobUrl'),
      answer: { type: 'string' },
      data: { type: ['object', 'null'], description: 'Instead of `answer`, if the job has a schema' },
      problem: { type: 'object', description: 'Why there is no answer', additionalProperties: true },
      usage: reference('schemas', 'Usage'),
      tier: { ...tier, description: 'The tier that the service charged' },
    },
    required: ['blob', 'usage', 'tier'],
    additionalProperties: false,
  },
};

/** `POST /jobs` */
export function createJob(authLevel: AuthLevel): OperationObject {
  return {
    operationId: 'createJob',
    tags: ['ask'],
    summary: 'Ask about every image below a URL, in the background',
    description: 'Needs the Functions host and `JOBS_STORAGE_ACCOUNT`.',
    requestBody: { required: true, content: { 'application/json': { schema: reference('schemas', 'JobRequest') } } },
    responses: {
      '202': {
        description: 'The job has begun',
        headers: headersOf(...EVERYWHERE, 'server-timing', 'location'),
        content: {
          'application/json': {
            schema: {
              type: 'object',
              properties: { id: { type: 'string', format: 'uuid' }, status: { const: 'listing' } },
              required: ['id', 'status'],
              additionalProperties: false,
            },
          },
        },
      },
      ...callerRefused(authLevel, asProblem),
      ...problemResponses(asProblem, [
        'missing_instructions',
        'invalid_request',
        'blob_not_allowed',
        'request_timeout',
        'body_too_large',
        'unsupported_encoding',
        ...STORED,
        'overloaded',
      ]),
    },
  };
}

/** `GET /jobs/{id}` */
export function job(authLevel: AuthLevel): OperationObject {
  return {
    operationId: 'job',
    tags: ['ask'],
    summary: 'The status of a job',
    parameters: [id],
    responses: { '200': described('The job'), ...refused(authLevel) },
  };
}

/** `DELETE /jobs/{id}` */
export function cancelJob(authLevel: AuthLevel): OperationObject {
  return {
    operationId: 'cancelJob',
    tags: ['ask'],
    summary: 'Cancel a job',
    description: 'The job asks about no further image, and keeps its results. A job that has ended does not change.',
    parameters: [id],
    responses: { '200': described('The job as it is now'), ...refused(authLevel) },
  };
}

/** `GET /jobs/{id}/results` */
export function jobResults(authLevel: AuthLevel): OperationObject {
  return {
    operationId: 'jobResults',
    tags: ['ask'],
    summary: 'The results of a job so far',
    description: 'One line of JSON for each image, in the order of the container: `JobResult`.',
    parameters: [id],
    responses: {
      '200': {
        description: 'Newline-delimited JSON. The schema describes one line.',
        headers: headersOf(...EVERYWHERE, 'server-timing'),
        content: { 'application/x-ndjson': { schema: reference('schemas', 'JobResult') } },
      },
      ...refused(authLevel),
    },
  };
}

/** Problems that every route of jobs may have. */
const STORED = [
  'misconfigured',
  'internal_error',
  'storage_access_denied',
  'storage_error',
  'identity_unavailable',
] as const;

function refused(authLevel: AuthLevel): OperationObject['responses'] {
  return { ...callerRefused(authLevel, asProblem), ...problemResponses(asProblem, ['job_not_found', ...STORED]) };
}

function described(description: string): ResponseObject {
  return {
    description,
    headers: headersOf(...EVERYWHERE, 'server-timing'),
    content: { 'application/json': { schema: reference('schemas', 'Job') } },
  };
}
