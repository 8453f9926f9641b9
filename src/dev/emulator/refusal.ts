import { z } from 'zod';

/** Why the service refuses a request, in its words. */
export interface Refusal {
  readonly param: string | null;
  readonly code: string | null;
  readonly message: string;
}

/** Members that both APIs have and that change nothing in what the emulated model says. */
export const Neutral = {
  model: z.string().optional(),
  stream: z.boolean().nullish(),
  // Models of the GPT-5 class take the defaults and nothing else.
  temperature: z.literal(1).nullish(),
  top_p: z.literal(1).nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  store: z.boolean().nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
  user: z.string().nullish(),
  safety_identifier: z.string().nullish(),
  prompt_cache_key: z.string().nullish(),
  service_tier: z.enum(['auto', 'default', 'flex']).nullish(),
};

/** The first fault of a request as the service would word it, the name of the parameter in it. */
export function refusalOf(error: z.ZodError): Refusal {
  const [issue] = error.issues;
  const path = (issue?.path ?? []).map(String);
  if (issue?.code === 'unrecognized_keys') {
    const param = [...path, issue.keys[0] ?? ''].join('.');
    return { param, code: 'unknown_parameter', message: `Unknown parameter: '${param}'.` };
  }
  const param = path.join('.');
  if (issue?.code === 'invalid_value' && ['temperature', 'top_p'].includes(param)) {
    const message = `Unsupported value: '${param}' does not support this value with this model. Only the default (1) value is supported.`;
    return { param, code: 'unsupported_value', message };
  }
  return { param, code: 'invalid_value', message: `Invalid value for '${param}': ${issue?.message ?? ''}` };
}
