import * as v from 'valibot';
import type { Attributes } from '@opentelemetry/api';
import type { Lap } from '../http/stopwatch.ts';
import type { AnsweredRequest } from '../http/create-handler.ts';
import { CallerGone } from '../http/deadline.ts';
import { Problem } from '../http/problem.ts';

/** One question to one deployment, including its retries. Times are milliseconds since the epoch. */
export interface Chat {
  readonly start: number;
  readonly end: number;
  /** Attributes of the span and of the metrics. */
  readonly attributes: Attributes;
  /** Attributes of the span only. They have too many different values for a metric. */
  readonly details: Attributes;
  readonly deployment: string;
  readonly usage: { readonly inputTokens: number; readonly outputTokens: number } | undefined;
  /** The error type; undefined if the question was answered. */
  readonly error: string | undefined;
}

const Facts = v.object({
  code: v.optional(v.string()),
  model: v.optional(v.string()),
  finishReason: v.optional(v.string()),
  upstreamRequestId: v.nullish(v.string()),
  /** The service tier that a job asked for, and the tier at which it was answered. */
  serviceTier: v.optional(v.string()),
  tier: v.optional(v.picklist(['flex', 'standard'])),
  usage: v.optional(v.object({ inputTokens: v.number(), outputTokens: v.number() })),
});
type Facts = v.InferOutput<typeof Facts>;

/**
 * Returns the questions that a request sent to the model. There are several if one deployment failed and another was
 * asked; the last one gave the answer. Attribute names follow https://opentelemetry.io/docs/specs/semconv/gen-ai/
 */
export function chatsOf({ laps, facts, streamed, end }: AnsweredRequest): Chat[] {
  const asked = laps.filter(({ stage }) => stage === 'model');
  const known = v.is(Facts, facts) ? facts : {};
  return asked.map((lap, at) => {
    if (at < asked.length - 1 || lap.error !== undefined)
      return toChat(lap, { serviceTier: known.serviceTier }, lap.end, errorType(lap.error));
    // For a stream, the lap ends when the answer begins. A later failure is noted as the request's code.
    return streamed ? toChat(lap, known, end, known.code) : toChat(lap, known, lap.end, undefined);
  });
}

function toChat(
  { start, facts }: Lap,
  { model, finishReason, upstreamRequestId, usage, serviceTier, tier }: Facts,
  end: number,
  error: string | undefined,
): Chat {
  const { deployment = '', endpoint = '', api } = facts;
  const server = URL.parse(endpoint);
  return {
    start,
    end,
    deployment,
    error,
    attributes: {
      // The Responses API has no operation name of its own: https://opentelemetry.io/docs/specs/semconv/gen-ai/openai/
      'gen_ai.operation.name': 'chat',
      'openai.api.type': api === 'responses' ? 'responses' : 'chat_completions',
      'gen_ai.provider.name': 'azure.ai.openai',
      'gen_ai.request.model': deployment,
      ...(model ? { 'gen_ai.response.model': model } : {}),
      ...(serviceTier ? { 'openai.request.service_tier': serviceTier } : {}),
      ...(tier ? { 'openai.response.service_tier': tier === 'flex' ? 'flex' : 'default' } : {}),
      ...(server ? { 'server.address': server.hostname, 'server.port': Number(server.port || 443) } : {}),
      ...(error ? { 'error.type': error } : {}),
    },
    details: {
      ...(finishReason ? { 'gen_ai.response.finish_reasons': [finishReason] } : {}),
      ...(upstreamRequestId ? { 'azure.service.request.id': upstreamRequestId } : {}),
      ...(usage
        ? { 'gen_ai.usage.input_tokens': usage.inputTokens, 'gen_ai.usage.output_tokens': usage.outputTokens }
        : {}),
    },
    usage,
  };
}

/** Returns the value of `error.type`: a problem's code, but never its text. Undefined if there is no error. */
export function errorType(error: unknown): string | undefined {
  if (error === undefined) return undefined;
  if (error instanceof CallerGone) return 'caller_gone';
  return error instanceof Problem ? error.code : 'internal_error';
}
