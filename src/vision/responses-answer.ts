import * as v from 'valibot';
import { endedEarly, notACompletion } from '../azure/failures.ts';
import { jsonObject } from '../config/json-object.ts';
import type { Usage } from './completion.ts';

const Answered = jsonObject({ output: v.array(v.unknown()) });
const Event = jsonObject({ type: v.string() });

/** The last events of a stream in the Responses API. Each has the whole response in it. */
const LAST_EVENTS = new Set(['response.completed', 'response.incomplete', 'response.failed']);

/**
 * Checks that the model answered with a response of the Responses API, and returns it unchanged.
 * @throws {Problem} `upstream_error` if it is not a response with output
 */
export function wholeResponse(response: unknown): object {
  if (!v.is(Answered, response)) throw notACompletion();
  return response;
}

/**
 * Checks the events of a streamed response as they arrive, and yields them unchanged.
 * @throws {Problem} `upstream_error` if an event is not valid, or if the stream ends without a last event
 */
export async function* responseEvents(events: AsyncIterable<unknown>): AsyncGenerator<{ readonly type: string }> {
  let isDone = false;
  for await (const event of events) {
    if (!v.is(Event, event)) throw notACompletion();
    isDone ||= LAST_EVENTS.has(event.type);
    yield event;
  }
  if (!isDone) throw endedEarly();
}

const Tokens = v.pipe(v.number(), v.finite());
const Counted = v.object({
  input_tokens: Tokens,
  input_tokens_details: v.nullish(v.object({ cached_tokens: v.nullish(Tokens) })),
  output_tokens: Tokens,
  output_tokens_details: v.nullish(v.object({ reasoning_tokens: v.nullish(Tokens) })),
  total_tokens: Tokens,
});
const Described = v.object({
  model: v.nullish(v.string()),
  status: v.nullish(v.string()),
  incomplete_details: v.nullish(v.object({ reason: v.nullish(v.string()) })),
  usage: v.nullish(Counted),
});

/** Returns what to log about a response, or about an event that contains one: model, finish reason and usage. */
export function factsOf(answer: unknown): Readonly<Record<string, unknown>> {
  const response = v.is(v.object({ response: Described }), answer) ? answer.response : answer;
  if (!v.is(Described, response)) return {};
  const { model, status, incomplete_details: incomplete, usage } = response;
  const finishReason = incomplete?.reason ?? status;
  const isOver = finishReason && finishReason !== 'in_progress' && finishReason !== 'queued';
  return {
    ...(model ? { model } : {}),
    ...(isOver ? { finishReason } : {}),
    ...(usage ? { usage: toUsage(usage) } : {}),
  };
}

function toUsage(usage: v.InferOutput<typeof Counted>): Usage {
  return {
    inputTokens: usage.input_tokens,
    cachedInputTokens: usage.input_tokens_details?.cached_tokens ?? 0,
    outputTokens: usage.output_tokens,
    reasoningTokens: usage.output_tokens_details?.reasoning_tokens ?? 0,
    totalTokens: usage.total_tokens,
  };
}
