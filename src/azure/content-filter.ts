import * as v from 'valibot';
import { isRecord } from '../config/json-object.ts';
import type { UpstreamError } from './upstream-error.ts';

/** A category of Azure's content filter that blocked something. `severity` is null for filters without levels. */
export interface FilteredCategory {
  readonly category: string;
  readonly severity: string | null;
  readonly source: 'prompt' | 'answer';
}

const Verdict = v.object({ filtered: v.literal(true), severity: v.optional(v.string()) });

/** The names of members with verdicts, in an error or in a choice. They differ by API and by version. */
const INNER_ERROR = ['innererror', 'inner_error', 'innerError'];
const RESULTS = ['content_filter_result', 'content_filter_results', 'contentFilterResults'];
const LISTS_OF_RESULTS = ['content_filters', 'prompt_filter_results'];

/** The codes of refusals by the content filter, or by the model's own policy. */
const POLICY_CODE = /content_?(?:filter|policy)|^responsible_?ai|^invalid_prompt$|^moderation|^safety/i;
/** The words of such refusals, if the code does not say it. */
const POLICY_MESSAGE =
  /content management policy|usage polic(?:y|ies)|content polic(?:y|ies)|safety system|content safety|not allowed by our|content that is not allowed/i;

/** Whether a refusal is about content. A 403 whose message mentions a policy is about access to the resource. */
export function isPolicyRefusal({ status, code, type, message }: UpstreamError): boolean {
  return POLICY_CODE.test(code) || POLICY_CODE.test(type) || (status !== 403 && POLICY_MESSAGE.test(message));
}

/**
 * Lists the categories that blocked something, in an error or in a choice of an answer.
 * https://learn.microsoft.com/azure/ai-foundry/openai/concepts/content-filter
 */
export function filteredCategories(from: unknown, source: FilteredCategory['source']): FilteredCategory[] {
  return resultsOf(from)
    .concat(resultsOf(memberOf(from, INNER_ERROR)))
    .flatMap((results) => Object.entries(results))
    .flatMap(([category, result]) => {
      const verdict = verdictOf(result);
      return verdict ? [{ category, severity: verdict.severity ?? null, source }] : [];
    });
}

function resultsOf(from: unknown): Record<string, unknown>[] {
  const listed = memberOf(from, LISTS_OF_RESULTS);
  const each = [from, ...(Array.isArray(listed) ? listed : [])].map((holder) => memberOf(holder, RESULTS));
  return each.filter(isRecord);
}

/** A category with several blocklists has a list of verdicts, directly or under `details`. */
function verdictOf(result: unknown): v.InferOutput<typeof Verdict> | undefined {
  if (v.is(Verdict, result)) return result;
  const list = isRecord(result) ? result['details'] : result;
  return Array.isArray(list) ? list.find((each) => v.is(Verdict, each)) : undefined;
}

function memberOf(from: unknown, names: readonly string[]): unknown {
  return isRecord(from) ? names.map((name) => from[name]).find((member) => member !== undefined) : undefined;
}
