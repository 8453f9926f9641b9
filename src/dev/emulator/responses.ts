import { randomUUID } from 'node:crypto';
import { MODEL, type Reply } from './completion.ts';
import type { ResponsesRequest } from './responses-request.ts';

/** Creates a whole response. */
export function response(reply: Reply, request: ResponsesRequest): object {
  const { head, item, end } = shape(reply, request);
  return { ...head, ...end, output: [item] };
}

/**
 * Creates the same response as server-sent events, from `response.created` to `response.completed` or `.incomplete`.
 */
export function responseEvents(reply: Reply, request: ResponsesRequest): string[] {
  const { head, item, end } = shape(reply, request);
  const begun = { ...head, status: 'in_progress', output: [], usage: null };
  const at = { item_id: item.id, output_index: 0 };
  const text = reply.pieces.join('');
  const steps: [type: string, data: object][] = reply.call
    ? [
        ['response.output_item.added', { output_index: 0, item: { ...item, status: 'in_progress', arguments: '' } }],
        ...reply.pieces.map((delta): [string, object] => ['response.function_call_arguments.delta', { ...at, delta }]),
        ['response.function_call_arguments.done', { ...at, name: reply.call.name, arguments: text }],
      ]
    : [
        ['response.output_item.added', { output_index: 0, item: { ...item, status: 'in_progress', content: [] } }],
        ['response.content_part.added', { ...at, content_index: 0, part: textPart('') }],
        ...reply.pieces.map((delta): [string, object] => [
          'response.output_text.delta',
          { ...at, content_index: 0, delta, logprobs: [] },
        ]),
        ['response.output_text.done', { ...at, content_index: 0, text, logprobs: [] }],
        ['response.content_part.done', { ...at, content_index: 0, part: textPart(text) }],
      ];
  const events: [type: string, data: object][] = [
    ['response.created', { response: begun }],
    ['response.in_progress', { response: begun }],
    ...steps,
    ['response.output_item.done', { output_index: 0, item }],
    [`response.${end.status}`, { response: { ...head, ...end, output: [item] } }],
  ];
  return events.map(
    ([type, data], number) => `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: number, ...data })}\n\n`,
  );
}

function shape({ pieces, call, finishReason, promptTokens, tier }: Reply, request: ResponsesRequest) {
  const isCut = finishReason === 'length';
  const status = isCut ? 'incomplete' : 'completed';
  const text = pieces.join('');
  const item = call
    ? { id: id('fc'), type: 'function_call', status, call_id: call.id, name: call.name, arguments: text }
    : { id: id('msg'), type: 'message', status, role: 'assistant', content: [textPart(text)] };
  const head = {
    id: id('resp'),
    object: 'response',
    created_at: Math.floor(Date.now() / 1000),
    model: MODEL,
    error: null,
    incomplete_details: null,
    instructions: request.instructions ?? null,
    max_output_tokens: request.max_output_tokens ?? null,
    metadata: request.metadata ?? {},
    parallel_tool_calls: request.parallel_tool_calls ?? true,
    previous_response_id: null,
    reasoning: { effort: request.reasoning?.effort ?? null, summary: null },
    service_tier: tier,
    store: request.store ?? true,
    temperature: 1,
    text: { format: request.text?.format ?? { type: 'text' } },
    tool_choice: request.tool_choice ?? 'auto',
    tools: request.tools ?? [],
    top_p: 1,
    truncation: request.truncation ?? 'disabled',
    user: request.user ?? null,
  };
  const end = {
    status,
    incomplete_details: isCut ? { reason: 'max_output_tokens' } : null,
    usage: {
      input_tokens: promptTokens,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: pieces.length,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: promptTokens + pieces.length,
    },
  };
  return { head, item, end };
}

function textPart(text: string): object {
  return { type: 'output_text', text, annotations: [], logprobs: [] };
}

function id(prefix: string): string {
  return `${prefix}_${randomUUID().replaceAll('-', '')}`;
}
