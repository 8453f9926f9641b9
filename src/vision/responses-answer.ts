import * as v from 'valibot';
import { endedEarly, notACompletion } from '../azure/failures.ts';
import { jsonObject } from '../config/json-object.ts';
import type { Usage } from './completion.ts';

const Answered = jsonObject({ output: v.array(v.unknown()) });
const Event = jsonObject({ type: v.string() });

/** The events that end a stream of the Responses API, each with the whole response in it. */
const LAST_EVENTS = new Set(['response.completed', 'response.incomplete', 'response.failed']);

/**
 * A response of the Responses API as it came.
 * @throws {Problem} `upstream_error` if it is none
 */
export function wholeResponse(response: unknown): object {
  if (!v.is(Answered, response)) throw notACompletion();
  return response;
}

/**
 * The events of a streamed response as they come.
 * @throws {Problem} `upstream_error` if one is none, or if the stream ends before the response does
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

/** What to log of a response, or of an event that has one in it. */
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
