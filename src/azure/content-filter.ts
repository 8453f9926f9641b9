import * as z from 'zod/mini';

/** One thing that Azure's content filter stopped. `severity` is null for filters that only say yes or no. */
export interface FilteredCategory {
  readonly category: string;
  readonly severity: string | null;
  readonly source: 'prompt' | 'answer';
}

/** https://learn.microsoft.com/azure/ai-foundry/openai/concepts/content-filter: one member for each category. */
const Results = z.record(z.string(), z.unknown());
const Verdict = z.object({ filtered: z.literal(true), severity: z.optional(z.string()) });
const PromptError = z.object({ innererror: z.object({ content_filter_result: Results }) });
const Choice = z.object({ content_filter_results: Results });

/**
 * The categories that were filtered, out of an error about the prompt or a choice of an answer; none where it holds no
 * verdict at all.
 */
export function filteredCategories(from: unknown, source: FilteredCategory['source']): FilteredCategory[] {
  const results = source === 'prompt' ? PromptError.safeParse(from).data?.innererror.content_filter_result : Choice.safeParse(from).data?.content_filter_results;
  return Object.entries(results ?? {}).flatMap(([category, result]) => {
    const verdict = Verdict.safeParse(result).data;
    return verdict ? [{ category, severity: verdict.severity ?? null, source }] : [];
  });
}
