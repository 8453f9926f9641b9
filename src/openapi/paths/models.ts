import type { AuthLevel } from '../../config/sign-in.ts';
import type { OperationObject, ResponseObject, SchemaObject } from 'openapi3-ts/oas31';
import { EVERYWHERE, headersOf, reference } from '../components.ts';
import { problemResponses } from '../problem-responses.ts';
import { callerRefused } from '../security.ts';
import { asChatError } from '../problem-schemas.ts';

const list: SchemaObject = {
  type: 'object',
  properties: { object: { const: 'list' }, data: { type: 'array', items: reference('schemas', 'ModelObject') } },
  required: ['object', 'data'],
  additionalProperties: false,
};

/** `GET /models` */
export function models(authLevel: AuthLevel): OperationObject {
  return {
    operationId: 'models',
    tags: ['ask'],
    summary: "OpenAI's list of models: the deployment",
    responses: {
      '200': json('The deployment, which answers whatever model a request names', list),
      ...callerRefused(authLevel, asChatError),
      ...problemResponses(asChatError, ['misconfigured', 'internal_error']),
    },
  };
}

/** `GET /models/{id}` */
export function model(authLevel: AuthLevel): OperationObject {
  return {
    operationId: 'model',
    tags: ['ask'],
    summary: 'The deployment as an OpenAI model object',
    parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' }, example: 'gpt-vision' }],
    responses: {
      '200': json('The deployment', reference('schemas', 'ModelObject')),
      ...callerRefused(authLevel, asChatError),
      ...problemResponses(asChatError, ['not_found', 'misconfigured', 'internal_error']),
    },
  };
}

function json(description: string, schema: ReturnType<typeof reference> | SchemaObject): ResponseObject {
  return {
    description,
    headers: headersOf(...EVERYWHERE, 'server-timing'),
    content: { 'application/json': { schema } },
  };
}
