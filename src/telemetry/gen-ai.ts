import * as v from 'valibot';
import type { Attributes } from '@opentelemetry/api';
import type { Lap } from '../http/stopwatch.ts';
import type { AnsweredRequest } from '../http/create-handler.ts';
import { CallerGone } from '../http/deadline.ts';
import { Problem } from '../http/problem.ts';

/** One question to one deployment, its retries included. Times are milliseconds since the epoch. */
export interface Chat {
  readonly start: number;
  readonly end: number;
  /** For span and metrics alike. */
  readonly attributes: Attributes;
  /** For the span alone: values of too many kinds for a metric. */
  readonly details: Attributes;
  readonly deployment: string;
  readonly usage: { readonly inputTokens: number; readonly outputTokens: number } | undefined;
  /** What it failed with; undefined where it did not. */
  readonly error: string | undefined;
}

const Facts = v.object({
  code: v.optional(v.string()),
  model: v.optional(v.string()),
  finishReason: v.optional(v.string()),
  upstreamRequestId: v.nullish(v.string()),
  /** What a job asked for, and the price at which it was answered. */
  serviceTier: v.optional(v.string()),
  tier: v.optional(v.picklist(['flex', 'standard'])),
  usage: v.optional(v.object({ inputTokens: v.number(), outputTokens: v.number() })),
});
type Facts = v.InferOutput<typeof Facts>;

/**
 * The questions that a request put to the model: several where one deployment failed and another was asked, and the
 * answer is the last one's. Named by https://opentelemetry.io/docs/specs/semconv/gen-ai/
 */
export function chatsOf({ laps, facts, streamed, end }: AnsweredRequest): Chat[] {
  const asked = laps.filter(({ stage }) => stage === 'model');
  const known = v.is(Facts, facts) ? facts : {};
  return asked.map((lap, at) => {
    if (at < asked.length - 1 || lap.error !== undefined)
      return toChat(lap, { serviceTier: known.serviceTier }, lap.end, errorType(lap.error));
    // A stream's stage ends when the answer begins; what goes wrong then is the request's problem.
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
      // Responses are no operation of their own: https://opentelemetry.io/docs/specs/semconv/gen-ai/openai/
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

/** What something failed with, as `error.type` has it: the problem's code, and never its words. Undefined for no error. */
export function errorType(error: unknown): string | undefined {
  if (error === undefined) return undefined;
  if (error instanceof CallerGone) return 'caller_gone';
  return error instanceof Problem ? error.code : 'internal_error';
}
