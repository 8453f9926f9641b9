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

/** What jobs are made of, for `components`. */
export const jobSchemas: Record<string, SchemaObject> = {
  JobRequest: {
    type: 'object',
    properties: {
      source: {
        type: 'string',
        format: 'uri',
        description:
          'The URL of a container in `IMAGE_CONTAINERS`, or of what the names of blobs in it begin with. Every blob there is asked about.',
        examples: ['https://photos.blob.core.windows.net/images/2026/'],
      },
      instructions: reference('schemas', 'Instructions'),
      detail: reference('schemas', 'Detail'),
      maxTokens: reference('schemas', 'MaxTokens'),
      schema: reference('schemas', 'AnswerSchema'),
      tier: {
        ...tier,
        description:
          '`flex` costs half and may take longer. Only some models offer it; with any other, the job fails and says why.',
      },
      fallback: {
        type: 'boolean',
        default: false,
        description: 'Whether an image that flex has refused for 10 minutes is asked at the standard price',
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
      problem: { type: 'object', description: 'Why the job failed', additionalProperties: true },
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
      data: { type: ['object', 'null'], description: 'In place of `answer` where the job has a schema' },
      problem: { type: 'object', description: 'Why there is no answer', additionalProperties: true },
      usage: reference('schemas', 'Usage'),
      tier: { ...tier, description: 'The price that the service took' },
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
    summary: 'How a job is',
    parameters: [id],
    responses: { '200': described('The job'), ...refused(authLevel) },
  };
}

/** `DELETE /jobs/{id}` */
export function cancelJob(authLevel: AuthLevel): OperationObject {
  return {
    operationId: 'cancelJob',
    tags: ['ask'],
    summary: 'Ask about no further image of a job',
    description: 'What is answered stays. A job that is over stays as it is.',
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
    description: 'A line of JSON for each image, in the order of the container: `JobResult`.',
    parameters: [id],
    responses: {
      '200': {
        description: 'Newline-delimited JSON; the schema is that of a line',
        headers: headersOf(...EVERYWHERE, 'server-timing'),
        content: { 'application/x-ndjson': { schema: reference('schemas', 'JobResult') } },
      },
      ...refused(authLevel),
    },
  };
}

/** What every route of jobs may meet. */
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
