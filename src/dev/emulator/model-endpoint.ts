import { randomUUID } from 'node:crypto';
import * as v from 'valibot';
import { type Answer, jsonAnswer } from './answer.ts';
import { readChat } from './chat-request.ts';
import { completion, completionEvents, MODEL_LIST, toReply } from './completion.ts';
import type { Respond } from './endpoint.ts';
import { answerTo, promptTokens } from './prompt.ts';
import { UnreadablePicture } from './picture.ts';
import type { RecordedRequest } from './recorded-request.ts';
import type { Refusal } from './refusal.ts';
import { response, responseEvents } from './responses.ts';
import { readResponsesRequest } from './responses-request.ts';
import type { TokenAuthority } from './tokens.ts';

/** The name of the deployment, unless the options name others. */
export const DEFAULT_DEPLOYMENT = 'gpt-vision';

const DATED = /^\/openai\/deployments\/([^/]+)\/chat\/completions$/;
const VERSION_FREE = '/openai/v1/chat/completions';
const RESPONSES = '/openai/v1/responses';
const MODELS = '/openai/models';
const CHAT_ACTION = 'deployments/chat/completions/action';
const RESPONSES_ACTION = 'responses/write';
const NamedModel = v.object({ model: v.string() });
const FIRST_API_VERSION = '2022-12-01';

/** The state of an Azure OpenAI resource. */
export interface Resource {
  /** Issues the tokens that the resource accepts. */
  readonly authority: TokenAuthority;
  readonly audience: string;
  readonly deployments: readonly string[];
  /** The key that it accepts instead of a token. */
  readonly key: string;
  /** Whether callers have the role on the resource. */
  hasRole: boolean;
  flex: Flex;
}

/** How the deployment treats flex requests: it answers them, has no capacity now, or does not support them. */
export type Flex = 'available' | 'no-capacity' | 'unsupported';

/** Emulates chat completions, responses and the model list of an Azure OpenAI resource. */
export function modelEndpoint(resource: Resource): Respond {
  return async (request) => {
    const answer =
      (await denial(request, resource)) ??
      models(request) ??
      wrongAddress(request, resource) ??
      (await (request.path === RESPONSES
        ? answerResponses(request.body, resource)
        : answerChat(request.body, resource)));
    return {
      ...answer,
      headers: { ...answer.headers, 'apim-request-id': randomUUID(), 'x-ratelimit-remaining-requests': '99' },
    };
  };
}

/** Refuses callers like Azure: it checks first the token and then the role. A missing role is also a 401. */
async function denial(
  { headers, method, path }: RecordedRequest,
  { authority, audience, key, hasRole }: Resource,
): Promise<Answer | undefined> {
  const [, bearer = ''] = /^Bearer (.+)$/.exec(headers.authorization ?? '') ?? [];
  if ((headers['api-key'] ?? bearer) === key) return undefined;
  const principal = await authority.verify(bearer, [audience, `${audience}/`]);
  if (!principal) {
    return azureError(
      401,
      '401',
      `Unauthorized. Access token is missing, invalid, audience is incorrect (${audience}), or have expired.`,
    );
  }
  if (hasRole) return undefined;
  const [action, operation] =
    path === MODELS
      ? ['models/read', path]
      : path === RESPONSES
        ? [RESPONSES_ACTION, path]
        : [CHAT_ACTION, '/openai/deployments/{deployment-id}/chat/completions'];
  return azureError(
    401,
    'PermissionDenied',
    `The principal \`${principal.objectId}\` lacks the required data action ` +
      `\`Microsoft.CognitiveServices/accounts/OpenAI/${action}\` to perform \`${method} ${operation}\` operation.`,
  );
}

function models({ method, path, query }: RecordedRequest): Answer | undefined {
  if (method !== 'GET' || path !== MODELS || !isPublished(query.get('api-version'))) return undefined;
  return jsonAnswer(200, { object: 'list', data: MODEL_LIST });
}

function wrongAddress(request: RecordedRequest, { deployments }: Resource): Answer | undefined {
  const [, dated] = DATED.exec(request.path) ?? [];
  const known = dated
    ? isPublished(request.query.get('api-version'))
    : [VERSION_FREE, RESPONSES].includes(request.path);
  if (!known || request.method !== 'POST') return azureError(404, '404', 'Resource not found');

  const deployment = dated ?? (v.is(NamedModel, request.body) ? request.body.model : '');
  if (deployments.includes(deployment)) return undefined;
  const advice = 'If you created the deployment within the last 5 minutes, please wait a moment and try again.';
  return azureError(404, 'DeploymentNotFound', `The API deployment for this resource does not exist. ${advice}`);
}

function isPublished(apiVersion: string | null): boolean {
  const [, date = ''] = /^(\d{4}-\d{2}-\d{2})(-preview)?$/.exec(apiVersion ?? '') ?? [];
  return date >= FIRST_API_VERSION && date <= new Date().toISOString();
}

async function answerChat(body: unknown, { flex }: Resource): Promise<Answer> {
  const chat = readChat(body);
  if ('message' in chat) return refused(chat);
  const { prompt, tool, maxTokens, choices, stream, includeUsage, tier } = chat;
  const noFlex = tier === 'flex' ? withoutFlex(flex) : undefined;
  if (noFlex) return noFlex;
  return unlessUnreadable(async () => {
    const reply = toReply(await answerTo(prompt), { maxTokens, tool, tier, promptTokens: promptTokens(prompt) });
    return stream
      ? streamed(completionEvents(reply, choices, includeUsage))
      : jsonAnswer(200, completion(reply, choices));
  });
}

async function answerResponses(body: unknown, { flex }: Resource): Promise<Answer> {
  const asked = readResponsesRequest(body);
  if ('message' in asked) return refused(asked);
  const { prompt, tool, request } = asked;
  const tier = request.service_tier === 'flex' ? 'flex' : 'default';
  const noFlex = tier === 'flex' ? withoutFlex(flex) : undefined;
  if (noFlex) return noFlex;
  return unlessUnreadable(async () => {
    const maxTokens = request.max_output_tokens ?? Infinity;
    const reply = toReply(await answerTo(prompt), { maxTokens, tool, tier, promptTokens: promptTokens(prompt) });
    return request.stream ? streamed(responseEvents(reply, request)) : jsonAnswer(200, response(reply, request));
  });
}

/**
 * Refuses a flex request if flex is not available. A 429 is not billed, and the service does not fall back to another
 * tier: https://learn.microsoft.com/azure/ai-foundry/openai/how-to/flex-processing
 */
function withoutFlex(flex: Flex): Answer | undefined {
  if (flex === 'available') return undefined;
  if (flex === 'no-capacity') return azureError(429, '429', 'Flex processing has no capacity now. Try again later.');
  const message = "Invalid service_tier argument: 'flex' is not supported with this model.";
  return refused({ code: 'invalid_value', message, param: 'service_tier' });
}

async function unlessUnreadable(answer: () => Promise<Answer>): Promise<Answer> {
  try {
    return await answer();
  } catch (thrown) {
    if (!(thrown instanceof UnreadablePicture)) throw thrown;
    return refused({ code: 'invalid_image', message: `Invalid image data. ${thrown.message}`, param: null });
  }
}

function streamed(body: string[]): Answer {
  return { status: 200, headers: { 'content-type': 'text/event-stream' }, body };
}

function refused({ code, message, param }: Refusal): Answer {
  return jsonAnswer(400, { error: { message, type: 'invalid_request_error', param, code } });
}

function azureError(status: number, code: string, message: string): Answer {
  return jsonAnswer(status, { error: { code, message } });
}
