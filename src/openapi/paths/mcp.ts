import type { AuthLevel } from '../../config/sign-in.ts';
import type { OperationObject, ResponseObject, ResponsesObject, SchemaObject } from 'openapi3-ts/oas31';
import { problemKind } from '../../http/problem-catalogue.ts';
import { EVERYWHERE, headersOf } from '../components.ts';
import { PIXEL } from '../question-schemas.ts';
import { callerRefused } from '../security.ts';
import { asProblem } from '../problem-schemas.ts';

const request: SchemaObject = {
  type: 'object',
  properties: {
    jsonrpc: { const: '2.0' },
    id: { type: ['string', 'integer'] },
    method: { type: 'string', examples: ['initialize', 'tools/list', 'tools/call'] },
    params: { type: 'object' },
  },
  required: ['jsonrpc'],
};

const response: SchemaObject = {
  type: 'object',
  properties: {
    jsonrpc: { const: '2.0' },
    id: { type: ['string', 'integer', 'null'] },
    result: { type: 'object' },
    error: {
      type: 'object',
      properties: { code: { type: 'integer' }, message: { type: 'string' } },
      required: ['code', 'message'],
    },
  },
  required: ['jsonrpc', 'id'],
};

/** The app's own problems with a message. The responses 400, 406 and 415 come from the protocol's SDK. */
const REFUSED = ['request_timeout', 'body_too_large', 'misconfigured', 'overloaded'] as const;

/** `POST /mcp` */
export function mcp(authLevel: AuthLevel): OperationObject {
  return {
    operationId: 'mcp',
    tags: ['ask'],
    summary: 'Model Context Protocol for agents: streamable HTTP without sessions',
    description:
      'Takes one JSON-RPC message. The only tool is `ask_about_image`, with `instructions`, `images` (base64, ' +
      'data URLs or `{"blob": URL}`) and optionally a `schema`. ' +
      "If a question fails, the result has `isError`, and its text is the problem's code, a colon and its detail.",
    externalDocs: {
      description: "The protocol's transport",
      url: 'https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#streamable-http',
    },
    requestBody: {
      required: true,
      content: {
        'application/json': {
          schema: request,
          example: {
            jsonrpc: '2.0',
            id: 1,
            method: 'tools/call',
            params: { name: 'ask_about_image', arguments: { instructions: 'What colour is this?', images: [PIXEL] } },
          },
        },
      },
    },
    responses: {
      '200': json('The answer to a request'),
      '202': { description: 'The notification is accepted', headers: headersOf(...EVERYWHERE, 'server-timing') },
      '400': json('Not a JSON-RPC message, or an unknown version of the protocol'),
      ...callerRefused(authLevel, asProblem),
      '406': json('Accept must name application/json and text/event-stream, as the protocol requires'),
      ...refused(),
      '415': json('The Content-Type is not application/json, or the body has a Content-Encoding'),
    },
  };
}

function refused(): ResponsesObject {
  return Object.fromEntries(
    REFUSED.map((code) => [problemKind(code).status, json(`\`${code}\`: ${problemKind(code).title}`)]),
  );
}

function json(description: string): ResponseObject {
  return {
    description,
    headers: headersOf(...EVERYWHERE, 'server-timing'),
    content: { 'application/json': { schema: response } },
  };
}
