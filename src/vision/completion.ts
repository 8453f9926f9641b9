import * as v from 'valibot';
import { jsonObject } from '../config/json-object.ts';

const Count = v.number();

/** The tokens of one question and its answer, as the model counts them. */
export const Usage = v.object({
  inputTokens: Count,
  /** Input tokens that the service had cached and charges less for; part of `inputTokens`. */
  cachedInputTokens: Count,
  outputTokens: Count,
  /** Output tokens that the model spent on reasoning; part of `outputTokens`. */
  reasoningTokens: Count,
  totalTokens: Count,
});
export type Usage = Readonly<v.InferOutput<typeof Usage>>;

/** The usage of an answer that does not state it. Some gateways leave it out. */
export const NO_USAGE: Usage = {
  inputTokens: 0,
  cachedInputTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
  totalTokens: 0,
};

const TextPart = jsonObject({ type: v.literal('text'), text: v.string() });
const Words = jsonObject({
  content: v.nullish(v.union([v.string(), v.array(TextPart)])),
  refusal: v.nullish(v.string()),
});

/** Members may be null or absent: services and gateways do either if a member has no value. */
const Choice = jsonObject({
  message: v.nullish(Words),
  delta: v.nullish(Words),
  finish_reason: v.nullish(v.string()),
});

/** One choice of a chat completion: a whole answer has a `message`, a part of a stream has a `delta`. */
export type Choice = v.InferOutput<typeof Choice>;

/** Returns the text of a message or a delta. Some gateways send it in several parts. */
export function textOf(words: v.InferOutput<typeof Words> | null | undefined): string {
  const content = words?.content ?? '';
  return typeof content === 'string' ? content : content.map(({ text }) => text).join('');
}

/** A chat completion, or one chunk of a streamed one. */
export const Completion = jsonObject({ model: v.nullish(v.string()), choices: v.nullish(v.array(v.nullish(Choice))) });

/** A token count. `JSON.parse` reads 1e999 as Infinity, which is refused. */
const Tokens = v.pipe(v.number(), v.finite());
const Counted = v.object({
  usage: v.object({ prompt_tokens: Tokens, completion_tokens: Tokens, total_tokens: v.nullish(Tokens) }),
});
const Cached = v.object({ usage: v.object({ prompt_tokens_details: v.object({ cached_tokens: Tokens }) }) });
const Reasoned = v.object({ usage: v.object({ completion_tokens_details: v.object({ reasoning_tokens: Tokens }) }) });

/** Returns the token usage of a completion, or of the last chunk of a stream. Undefined if it has no usage. */
export function usageOf(completion: unknown): Usage | undefined {
  if (!v.is(Counted, completion)) return undefined;
  const { prompt_tokens, completion_tokens, total_tokens } = completion.usage;
  return {
    inputTokens: prompt_tokens,
    cachedInputTokens: v.is(Cached, completion) ? completion.usage.prompt_tokens_details.cached_tokens : 0,
    outputTokens: completion_tokens,
    reasoningTokens: v.is(Reasoned, completion) ? completion.usage.completion_tokens_details.reasoning_tokens : 0,
    totalTokens: total_tokens ?? prompt_tokens + completion_tokens,
  };
}

const Named = v.object({ model: v.string() });

/** Returns the model's name and version from a completion or a chunk. Undefined if it has no model. */
export function modelOf(completion: unknown): string | undefined {
  return v.is(Named, completion) ? completion.model || undefined : undefined;
}
