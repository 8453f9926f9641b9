import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import {
  CallToolRequestSchema,
  type CallToolResult,
  ErrorCode,
  ListToolsRequestSchema,
  McpError,
} from '@modelcontextprotocol/sdk/types.js';
import { AjvJsonSchemaValidator } from '@modelcontextprotocol/sdk/validation/ajv';
import type { Limits } from '../config/limits.ts';
import { version } from '../config/version.ts';
import type { IncomingRequest } from '../http/incoming-request.ts';

/** The name of the only tool. */
export const TOOL_NAME = 'ask_about_image';

/** Headers that the protocol defines: https://modelcontextprotocol.io/specification/2025-11-25/basic/transports */
const PROTOCOL_HEADERS = ['accept', 'content-type', 'mcp-protocol-version'];

/** One message, with what is needed to answer it. */
export interface McpRequest {
  readonly request: Pick<IncomingRequest, 'url' | 'headers'>;
  /** The message as parsed JSON. */
  readonly message: unknown;
  readonly limits: Pick<Limits, 'maxImages' | 'maxInstructions'>;
  /** Answers the message if it calls the tool. */
  readonly callTool: () => Promise<CallToolResult>;
}

/** Shared by all servers, because the SDK would create a validator for each. */
const jsonSchemaValidator = new AjvJsonSchemaValidator();

/**
 * Answers one message of the Model Context Protocol with the protocol's SDK. There are no sessions: each message gets a
 * new server, so that any instance of the app can answer it.
 */
export async function answerMessage({ request, message, limits, callTool }: McpRequest): Promise<Response> {
  const server = new Server(
    { name: 'keyless-vision', title: 'Keyless Vision', version },
    { capabilities: { tools: {} }, jsonSchemaValidator },
  );
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: [toolOf(limits)] }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params: { name } }) => {
    if (name !== TOOL_NAME) throw new McpError(ErrorCode.InvalidParams, `The only tool is ${TOOL_NAME}.`);
    return callTool();
  });
  const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true });
  await server.connect(transport);
  try {
    const headers = PROTOCOL_HEADERS.flatMap((name) => {
      const value = request.headers.get(name);
      return value === null ? [] : [[name, value] satisfies [string, string]];
    });
    return await transport.handleRequest(new Request(request.url, { method: 'POST', headers }), {
      parsedBody: message,
    });
  } finally {
    await server.close();
  }
}

function toolOf({ maxImages, maxInstructions }: McpRequest['limits']) {
  return {
    name: TOOL_NAME,
    title: 'Ask about images',
    description: 'Asks a vision model about one or several images, and returns its answer.',
    inputSchema: {
      type: 'object' as const,
      properties: {
        instructions: {
          type: 'string',
          minLength: 1,
          maxLength: maxInstructions,
          description: 'What you want to know',
        },
        images: {
          type: 'array',
          minItems: 1,
          maxItems: maxImages,
          items: {
            anyOf: [
              { type: 'string' },
              {
                type: 'object',
                properties: { blob: { type: 'string' } },
                required: ['blob'],
                additionalProperties: false,
              },
            ],
          },
          description:
            'PNG, JPEG, WEBP, GIF, HEIC, AVIF or TIFF images as base64 or as data URLs, or blobs as {"blob": ' +
            '"https://ACCOUNT.blob.core.windows.net/CONTAINER/NAME"}. ' +
            'The app reads only blobs of containers that it allows',
        },
        schema: {
          type: 'object',
          description: 'A JSON Schema of an object. The answer then satisfies it, and comes as structured content too',
        },
      },
      required: ['instructions', 'images'],
    },
    annotations: { readOnlyHint: true, openWorldHint: true },
  };
}
