import { randomUUID } from 'node:crypto';
import { answerSchema } from './schema-answer.ts';
import { callId, type Tool } from './tool-call.ts';

/** The model that the emulated deployment says it runs. */
export const MODEL = 'emulated-vision-2026-11-01';

const SAFE = { filtered: false, severity: 'safe' };
const CONTENT_FILTER_RESULTS = { hate: SAFE, self_harm: SAFE, sexual: SAFE, violence: SAFE };
const PROMPT_FILTER_RESULTS = [{ prompt_index: 0, content_filter_results: CONTENT_FILTER_RESULTS }];

/** What the emulated model says, before it is formatted as an answer or as a stream. */
export interface Reply {
  /**
   * The pieces of the answer, or of the call's arguments. Joined, they are the whole text. One piece counts as one
   * token.
   */
  readonly pieces: readonly string[];
  /** The tool that is called instead of an answer. */
  readonly call: { readonly id: string; readonly name: string } | undefined;
  readonly finishReason: 'stop' | 'length' | 'tool_calls';
  readonly promptTokens: number;
  readonly tier: Tier;
}

/** The service tier of a request, which decides its speed and price. */
export type Tier = 'default' | 'flex';

/** How to say a text: its token limit, its prompt's tokens, the tool to call and the tier. */
interface ReplyOptions {
  readonly maxTokens: number;
  readonly promptTokens: number;
  readonly tool: Tool | undefined;
  readonly tier: Tier;
}

/**
 * Splits an answer into tokens, up to the limit. With a tool, the answer is a call whose arguments satisfy its schema.
 */
export function toReply(text: string, { maxTokens, promptTokens, tool, tier }: ReplyOptions): Reply {
  const whole = tool ? JSON.stringify(answerSchema({ type: 'object', ...tool.parameters }, text)) : text;
  const pieces = whole.match(/\s*\S+\s*$|\s*\S+/g) ?? [];
  const call = tool && { id: callId(), name: tool.name };
  if (pieces.length > maxTokens)
    return { pieces: pieces.slice(0, maxTokens), call, finishReason: 'length', promptTokens, tier };
  return { pieces, call, finishReason: call ? 'tool_calls' : 'stop', promptTokens, tier };
}

/** Creates a whole chat completion, with the same choice `choices` times. */
export function completion(reply: Reply, choices: number): object {
  const { pieces, call, finishReason, promptTokens, tier } = reply;
  const text = pieces.join('');
  const message = call
    ? { role: 'assistant', content: null, refusal: null, tool_calls: [toolCall(call, text)] }
    : { role: 'assistant', content: text, refusal: null };
  return {
    ...head('chat.completion', tier),
    choices: Array.from({ length: choices }, (_, index) => ({
      index,
      message,
      finish_reason: finishReason,
      logprobs: null,
      content_filter_results: CONTENT_FILTER_RESULTS,
    })),
    usage: usage(promptTokens, pieces.length * choices),
    prompt_filter_results: PROMPT_FILTER_RESULTS,
  };
}

/**
 * Creates the same completion as server-sent events: the prompt's filter results, the role, a chunk for each word, the
 * finish reason, usage if it is asked for, and `[DONE]`. As in Azure, the first event has no choice and no id, which
 * breaks clients that read `choices[0]` of every chunk.
 */
export function completionEvents(reply: Reply, choices: number, includeUsage: boolean): string[] {
  const { pieces, call, finishReason, promptTokens, tier } = reply;
  const shared = head('chat.completion.chunk', tier);
  const chunk = (index: number, delta: object, finish: string | null = null, filter: object = {}) =>
    event({
      ...shared,
      choices: [{ index, delta, finish_reason: finish, logprobs: null, content_filter_results: filter }],
    });
  const choice = (_: unknown, index: number) => [
    chunk(index, {
      role: 'assistant',
      content: call ? null : '',
      refusal: null,
      ...(call ? { tool_calls: [{ index: 0, ...toolCall(call, '') }] } : {}),
    }),
    ...pieces.map((piece) =>
      call
        ? chunk(index, { tool_calls: [{ index: 0, function: { arguments: piece } }] })
        : chunk(index, { content: piece }, null, CONTENT_FILTER_RESULTS),
    ),
    chunk(index, {}, finishReason),
  ];
  return [
    event({ id: '', object: '', created: 0, model: '', choices: [], prompt_filter_results: PROMPT_FILTER_RESULTS }),
    ...Array.from({ length: choices }, choice).flat(),
    ...(includeUsage ? [event({ ...shared, choices: [], usage: usage(promptTokens, pieces.length * choices) })] : []),
    'data: [DONE]\n\n',
  ];
}

function toolCall({ id, name }: { id: string; name: string }, args: string): object {
  return { id, type: 'function', function: { name, arguments: args } };
}

function event(data: object): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}

function head(object: string, tier: Tier) {
  return {
    id: `chatcmpl-${randomUUID()}`,
    object,
    created: Math.floor(Date.now() / 1000),
    model: MODEL,
    system_fingerprint: 'fp_emulated',
    service_tier: tier,
  };
}

function usage(promptTokens: number, completionTokens: number) {
  return {
    prompt_tokens: promptTokens,
    prompt_tokens_details: { cached_tokens: 0 },
    completion_tokens: completionTokens,
    completion_tokens_details: { reasoning_tokens: 0 },
    total_tokens: promptTokens + completionTokens,
  };
}

const DAY_S = 24 * 60 * 60;
const now = Math.floor(Date.now() / 1000);

/** The models that the resource could deploy, as in `GET /openai/models`. Dates are in seconds since 1970. */
export const MODEL_LIST = [
  model(MODEL, 'generally-available', 365),
  model('emulated-old-vision-2025-01-01', 'deprecated', 30),
];

function model(id: string, lifecycle: string, daysLeft: number): object {
  return {
    id,
    object: 'model',
    status: 'succeeded',
    lifecycle_status: lifecycle,
    created_at: now - 200 * DAY_S,
    deprecation: { inference: now + daysLeft * DAY_S },
    capabilities: { chat_completion: true, inference: true, completion: false, embeddings: false, fine_tune: false },
  };
}
