import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { type Answer, jsonAnswer } from './answer.ts';
import { ChatRequest, imagesOf, lastQuestion, unguaranteed, unsupported } from './chat-request.ts';
import { completion, completionEvents, toWords, type Words } from './completion.ts';
import type { Respond } from './endpoint.ts';
import { lookAt } from './look.ts';
import { MODEL_LIST } from './model-list.ts';
import { UnreadablePicture } from './picture.ts';
import type { RecordedRequest } from './recorded-request.ts';
import type { TokenAuthority } from './tokens.ts';

/** The deployment that there is unless others are named. */
export const DEFAULT_DEPLOYMENT = 'gpt-vision';

const DATED = /^\/openai\/deployments\/([^/]+)\/chat\/completions$/;
const VERSION_FREE = '/openai/v1/chat/completions';
const MODELS = '/openai/models';
const CHAT_ACTION = 'deployments/chat/completions/action';
const NamedModel = z.object({ model: z.string() });
const FIRST_API_VERSION = '2022-12-01';
/** A tile of an image costs about so many tokens; the number only has to look like one. */
const TOKENS_PER_IMAGE = 765;

/** An Azure OpenAI resource: whose tokens it takes, what is deployed, and whether who asks has the role. */
export interface Resource {
  readonly authority: TokenAuthority;
  readonly audience: string;
  readonly deployments: readonly string[];
  /** The key that it takes instead of a token. */
  readonly key: string;
  hasRole: boolean;
}

/** The chat completions of an Azure OpenAI resource, and the list of the models that it could deploy. */
export function modelEndpoint(resource: Resource): Respond {
  return async (request) => {
    const answer =
      (await denial(request, resource)) ??
      models(request) ??
      wrongAddress(request, resource) ??
      (await answerChat(request.body));
    return {
      ...answer,
      headers: { ...answer.headers, 'apim-request-id': randomUUID(), 'x-ratelimit-remaining-requests': '99' },
    };
  };
}

/** Azure looks at the token first, then at the role. A missing role is a 401 too. */
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
    path === MODELS ? ['models/read', path] : [CHAT_ACTION, '/openai/deployments/{deployment-id}/chat/completions'];
  return azureError(
    401,
    'PermissionDenied',
    `The principal \`${principal.objectId}\` lacks the required data action \`Microsoft.CognitiveServices/accounts/OpenAI/${action}\` to perform \`${method} ${operation}\` operation.`,
  );
}

function models({ method, path, query }: RecordedRequest): Answer | undefined {
  if (method !== 'GET' || path !== MODELS || !isPublished(query.get('api-version'))) return undefined;
  return jsonAnswer(200, { object: 'list', data: MODEL_LIST });
}

function wrongAddress(request: RecordedRequest, { deployments }: Resource): Answer | undefined {
  const [, dated] = DATED.exec(request.path) ?? [];
  const known = dated ? isPublished(request.query.get('api-version')) : request.path === VERSION_FREE;
  if (!known || request.method !== 'POST') return azureError(404, '404', 'Resource not found');

  const deployment = dated ?? NamedModel.safeParse(request.body).data?.model ?? '';
  if (deployments.includes(deployment)) return undefined;
  const advice = 'If you created the deployment within the last 5 minutes, please wait a moment and try again.';
  return azureError(404, 'DeploymentNotFound', `The API deployment for this resource does not exist. ${advice}`);
}

function isPublished(apiVersion: string | null): boolean {
  const [, date = ''] = /^(\d{4}-\d{2}-\d{2})(-preview)?$/.exec(apiVersion ?? '') ?? [];
  return date >= FIRST_API_VERSION && date <= new Date().toISOString();
}

async function answerChat(body: unknown): Promise<Answer> {
  const { data: request, error } = ChatRequest.safeParse(body);
  if (!request) {
    const { path = [], message = '' } = error.issues[0] ?? {};
    return modelError('invalid_value', `Invalid value for '${path.join('.')}': ${message}`, path.join('.'));
  }
  const refused = unsupported(request) ?? unguaranteed(request);
  if (refused) return modelError(refused.code, refused.message, refused.param);
  try {
    const words = toWords(await lookAt(request), request.max_completion_tokens ?? Infinity, promptTokens(request));
    return request.stream
      ? streamed(words, request.stream_options?.include_usage ?? false)
      : jsonAnswer(200, completion(words));
  } catch (thrown) {
    if (!(thrown instanceof UnreadablePicture)) throw thrown;
    return modelError('invalid_image', `Invalid image data. ${thrown.message}`, null);
  }
}

function promptTokens(request: ChatRequest): number {
  return Math.ceil(lastQuestion(request).length / 4) + TOKENS_PER_IMAGE * imagesOf(request).length;
}

function streamed(words: Words, includeUsage: boolean): Answer {
  return { status: 200, headers: { 'content-type': 'text/event-stream' }, body: completionEvents(words, includeUsage) };
}

function modelError(code: string | null, message: string, param: string | null): Answer {
  return jsonAnswer(400, { error: { message, type: 'invalid_request_error', param, code } });
}

function azureError(status: number, code: string, message: string): Answer {
  return jsonAnswer(status, { error: { code, message } });
}
