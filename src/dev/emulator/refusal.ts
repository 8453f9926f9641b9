import * as v from 'valibot';

/** Why the service refuses a request, in its words. */
export interface Refusal {
  readonly param: string | null;
  readonly code: string | null;
  readonly message: string;
}

/** Members that both APIs have and that change nothing in what the emulated model says. */
export const Neutral = {
  model: v.optional(v.string()),
  stream: v.nullish(v.boolean()),
  // Models of the GPT-5 class take the defaults and nothing else.
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

/** The first fault of a request as the service would word it, the name of the parameter in it. */
export function refusalOf([issue]: readonly [v.BaseIssue<unknown>, ...v.BaseIssue<unknown>[]]): Refusal {
  const param = v.getDotPath(issue) ?? '';
  if (issue.type === 'strict_object' && issue.expected === 'never') {
    return { param, code: 'unknown_parameter', message: `Unknown parameter: '${param}'.` };
  }
  if (issue.type === 'literal' && ['temperature', 'top_p'].includes(param)) {
    const message = `Unsupported value: '${param}' does not support this value with this model. Only the default (1) value is supported.`;
    return { param, code: 'unsupported_value', message };
  }
  return { param, code: 'invalid_value', message: `Invalid value for '${param}': ${issue.message}` };
}
