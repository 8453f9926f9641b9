import * as v from 'valibot';

/** Why the service refuses a request, as the service writes it. */
export interface Refusal {
  readonly param: string | null;
  readonly code: string | null;
  readonly message: string;
}

/** Members that both APIs have. They do not change what the emulated model says. */
export const Neutral = {
  model: v.optional(v.string()),
  stream: v.nullish(v.boolean()),
  // GPT-5-class models take only the default.
  temperature: v.nullish(v.literal(1)),
  top_p: v.nullish(v.literal(1)),
  parallel_tool_calls: v.nullish(v.boolean()),
  store: v.nullish(v.boolean()),
  metadata: v.nullish(v.record(v.string(), v.string())),
  user: v.nullish(v.string()),
  safety_identifier: v.nullish(v.string()),
  prompt_cache_key: v.nullish(v.string()),
  service_tier: v.nullish(v.picklist(['auto', 'default', 'flex'])),
};

/** Makes the refusal for the first fault of a request, in the service's own words. */
export function refusalOf([issue]: readonly [v.BaseIssue<unknown>, ...v.BaseIssue<unknown>[]]): Refusal {
  const param = v.getDotPath(issue) ?? '';
  if (issue.type === 'strict_object' && issue.expected === 'never') {
    return { param, code: 'unknown_parameter', message: `Unknown parameter: '${param}'.` };
  }
  if (issue.type === 'literal' && ['temperature', 'top_p'].includes(param)) {
    const message =
      `Unsupported value: '${param}' does not support this value with this model. Only the default (1) value is ` +
      'supported.';
    return { param, code: 'unsupported_value', message };
  }
  return { param, code: 'invalid_value', message: `Invalid value for '${param}': ${issue.message}` };
}
