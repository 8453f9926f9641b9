import * as v from 'valibot';

/** Tokens of one answer. */
export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly totalTokens: number;
}

/** JSON's 1e999 is Infinity. */
const Tokens = v.pipe(v.number(), v.finite());
const Counted = v.object({
  usage: v.object({ prompt_tokens: Tokens, completion_tokens: Tokens, total_tokens: Tokens }),
});

/** The usage that a completion, or the last chunk of a stream, tells of; undefined where it tells of none. */
export function usageOf(completion: unknown): Usage | undefined {
  if (!v.is(Counted, completion)) return undefined;
  const { usage } = completion;
  return { inputTokens: usage.prompt_tokens, outputTokens: usage.completion_tokens, totalTokens: usage.total_tokens };
}

const Named = v.object({ model: v.string() });

/** The model's name and version, as a completion or a chunk of a stream tells them; undefined where it does not. */
export function modelOf(completion: unknown): string | undefined {
  return v.is(Named, completion) ? completion.model || undefined : undefined;
}
