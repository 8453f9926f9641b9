import * as v from 'valibot';
import { jsonObject } from '../config/json-object.ts';

/** One thing that Azure's content filter stopped. `severity` is null for filters that only say yes or no. */
export interface FilteredCategory {
  readonly category: string;
  readonly severity: string | null;
  readonly source: 'prompt' | 'answer';
}

/** https://learn.microsoft.com/azure/ai-foundry/openai/concepts/content-filter: one member for each category. */
const Results = jsonObject({});
const Verdict = v.object({ filtered: v.literal(true), severity: v.optional(v.string()) });
const PromptError = v.object({ innererror: v.object({ content_filter_result: Results }) });
const Choice = v.object({ content_filter_results: Results });

/**
 * The categories that were filtered, out of an error about the prompt or a choice of an answer; none where it holds no
 * verdict at all.
 */
export function filteredCategories(from: unknown, source: FilteredCategory['source']): FilteredCategory[] {
  return Object.entries(resultsOf(from, source)).flatMap(([category, result]) =>
    v.is(Verdict, result) ? [{ category, severity: result.severity ?? null, source }] : [],
  );
}

function resultsOf(from: unknown, source: FilteredCategory['source']): Record<string, unknown> {
  if (source === 'prompt') return v.is(PromptError, from) ? from.innererror.content_filter_result : {};
  return v.is(Choice, from) ? from.content_filter_results : {};
}
