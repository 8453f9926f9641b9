import * as z from 'zod/mini';

/** Tokens of one answer. */
export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly totalTokens: number;
}

const Counted = z.object({ usage: z.object({ prompt_tokens: z.number(), completion_tokens: z.number(), total_tokens: z.number() }) });

/** The usage that a completion, or the last chunk of a stream, tells of; undefined where it tells of none. */
export function usageOf(completion: unknown): Usage | undefined {
  const usage = Counted.safeParse(completion).data?.usage;
  return usage && { inputTokens: usage.prompt_tokens, outputTokens: usage.completion_tokens, totalTokens: usage.total_tokens };
}

const Named = z.object({ model: z.string() });

/** The model's name and version, as a completion or a chunk of a stream tells them; undefined where it does not. */
export function modelOf(completion: unknown): string | undefined {
  return Named.safeParse(completion).data?.model || undefined;
}
