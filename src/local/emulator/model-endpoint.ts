import { randomUUID } from 'node:crypto';
import type { Answer } from './answer.ts';
import { jsonAnswer } from './answer.ts';
import { ChatRequest, imagesOf, lastQuestion } from './chat-request.ts';
import { completion, completionEvents, toWords, type Words } from './completion.ts';
import type { Respond } from './endpoint.ts';
import { describePicture, UnreadablePicture } from './picture.ts';
import type { RecordedRequest } from './recorded-request.ts';
import { answerSchema } from './schema-answer.ts';
import type { TokenAuthority } from './tokens.ts';

/** The deployment that there is unless others are named. */
export const DEFAULT_DEPLOYMENT = 'gpt-vision';

const AUDIENCES = ['https://cognitiveservices.azure.com', 'https://cognitiveservices.azure.com/'];
const DATED = /^\/openai\/deployments\/([^/]+)\/chat\/completions$/;
const VERSION_FREE = '/openai/v1/chat/completions';
/** A tile of an image costs about so many tokens; the number only has to look like one. */
const TOKENS_PER_IMAGE = 765;

/** The chat completions of an Azure OpenAI resource, which takes tokens of `authority` only. */
export function modelEndpoint(authority: TokenAuthority, deployments: readonly string[]): Respond {
  return async (request) => {
    const answer = (await refusal(request, authority, deployments)) ?? (await answerChat(request.body));
    return { ...answer, headers: { ...answer.headers, 'apim-request-id': randomUUID(), 'x-ratelimit-remaining-requests': '99' } };
  };
}

async function refusal(request: RecordedRequest, authority: TokenAuthority, deployments: readonly string[]): Promise<Answer | undefined> {
  const [, bearer = ''] = /^Bearer (.+)$/.exec(request.headers.authorization ?? '') ?? [];
  if (!(await authority.accepts(bearer, AUDIENCES))) {
    return errorAnswer(401, '401', `Unauthorized. Access token is missing, invalid, audience is incorrect (${AUDIENCES[0]}), or have expired.`);
  }
  const dated = DATED.exec(request.path);
  const version = request.query.get('api-version') ?? '';
  const known = dated ? /^\d{4}-\d{2}-\d{2}(-preview)?$/.test(version) : request.path === VERSION_FREE;
  if (!known || request.method !== 'POST') return errorAnswer(404, '404', 'Resource not found');

  const deployment = dated?.[1] ?? ChatRequest.safeParse(request.body).data?.model ?? '';
  if (deployments.includes(deployment)) return undefined;
  return errorAnswer(404, 'DeploymentNotFound', 'The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, please wait a moment and try again.');
}

async function answerChat(body: unknown): Promise<Answer> {
  const { data: request, error } = ChatRequest.safeParse(body);
  if (!request) return invalid('invalid_request_error', error.issues[0]?.message ?? 'invalid', null);
  if ('max_tokens' in request) {
    return invalid('unsupported_parameter', "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.", 'max_tokens');
  }
  try {
    const text = await whatItSees(request);
    const words = toWords(text, request.max_completion_tokens ?? Infinity, promptTokens(request));
    return request.stream ? streamed(words, request.stream_options?.include_usage ?? false) : jsonAnswer(200, completion(words));
  } catch (thrown) {
    if (!(thrown instanceof UnreadablePicture)) throw thrown;
    return invalid('invalid_image', `Invalid image data. ${thrown.message}`, null);
  }
}

async function whatItSees(request: ChatRequest): Promise<string> {
  const pictures = await Promise.all(imagesOf(request).map(async (url) => describePicture(bytesOf(url))));
  const facts = ['[emulated Azure]', ...pictures, `You asked: "${lastQuestion(request)}"`].join(' ');
  const schema = request.response_format?.json_schema?.schema;
  return schema === undefined ? facts : JSON.stringify(answerSchema(schema, facts));
}

function bytesOf(url: string): Buffer {
  const comma = url.indexOf(',');
  if (!/^data:image\/(?:png|jpeg|webp|gif);base64$/.test(url.slice(0, comma))) throw new UnreadablePicture('Only data URLs are looked at here.');
  return Buffer.from(url.slice(comma + 1), 'base64');
}

function promptTokens(request: ChatRequest): number {
  return Math.ceil(lastQuestion(request).length / 4) + TOKENS_PER_IMAGE * imagesOf(request).length;
}

function streamed(words: Words, includeUsage: boolean): Answer {
  return { status: 200, headers: { 'content-type': 'text/event-stream' }, body: completionEvents(words, includeUsage) };
}

function invalid(code: string, message: string, param: string | null): Answer {
  return jsonAnswer(400, { error: { message, type: 'invalid_request_error', param, code } });
}

function errorAnswer(status: number, code: string, message: string): Answer {
  return jsonAnswer(status, { error: { code, message } });
}
