import * as v from 'valibot';
import type { Tier } from './completion.ts';
import type { Prompt } from './prompt.ts';
import { Neutral, type Refusal, refusalOf } from './refusal.ts';
import { strictFault } from './strict-schema.ts';
import { pickTool, type Tool } from './tool-call.ts';

const Detail = v.nullish(v.picklist(['auto', 'low', 'high', 'original']));
const Part = v.variant('type', [
  v.strictObject({ type: v.literal('text'), text: v.string() }),
  v.strictObject({
    type: v.literal('image_url'),
    image_url: v.strictObject({ url: v.string(), detail: Detail }),
  }),
  v.strictObject({ type: v.literal('refusal'), refusal: v.string() }),
]);

const ToolCall = v.strictObject({
  id: v.string(),
  type: v.literal('function'),
  function: v.strictObject({ name: v.string(), arguments: v.string() }),
});

const Message = v.strictObject({
  role: v.picklist(['system', 'developer', 'user', 'assistant', 'tool']),
  content: v.nullish(v.union([v.string(), v.array(Part)])),
  name: v.nullish(v.string()),
  refusal: v.nullish(v.string()),
  tool_calls: v.nullish(v.array(ToolCall)),
  tool_call_id: v.nullish(v.string()),
  annotations: v.nullish(v.array(v.unknown())),
  audio: v.optional(v.null()),
  function_call: v.optional(v.null()),
  parsed: v.optional(v.unknown()),
});

const JsonSchema = v.strictObject({
  name: v.string(),
  description: v.nullish(v.string()),
  schema: v.record(v.string(), v.unknown()),
  strict: v.nullish(v.boolean()),
});
const ResponseFormat = v.variant('type', [
  v.strictObject({ type: v.literal('text') }),
  v.strictObject({ type: v.literal('json_object') }),
  v.strictObject({ type: v.literal('json_schema'), json_schema: JsonSchema }),
]);

const FunctionTool = v.strictObject({
  type: v.literal('function'),
  function: v.strictObject({
    name: v.string(),
    description: v.nullish(v.string()),
    parameters: v.nullish(v.record(v.string(), v.unknown())),
    strict: v.nullish(v.boolean()),
  }),
});

/**
 * A Chat Completions request. The emulated model refuses members that are not here, and names them. If it ignored them,
 * a real deployment could behave differently.
 */
const ChatRequest = v.strictObject({
  ...Neutral,
  messages: v.pipe(v.array(Message), v.minLength(1, "[] is too short - 'messages'")),
  max_completion_tokens: v.nullish(v.pipe(v.number(), v.integer(), v.minValue(1))),
  max_tokens: v.optional(v.unknown()),
  n: v.nullish(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(128))),
  response_format: v.nullish(ResponseFormat),
  stream_options: v.nullish(
    v.strictObject({ include_usage: v.nullish(v.boolean()), include_obfuscation: v.nullish(v.boolean()) }),
  ),
  tools: v.nullish(v.array(FunctionTool)),
  tool_choice: v.nullish(
    v.union([
      v.picklist(['none', 'auto', 'required']),
      v.strictObject({ type: v.literal('function'), function: v.strictObject({ name: v.string() }) }),
    ]),
  ),
  reasoning_effort: v.nullish(v.string()),
  verbosity: v.nullish(v.picklist(['low', 'medium', 'high'])),
  presence_penalty: v.nullish(v.literal(0)),
  frequency_penalty: v.nullish(v.literal(0)),
  logprobs: v.nullish(v.literal(false)),
  top_logprobs: v.nullish(v.literal(0)),
  logit_bias: v.nullish(v.strictObject({})),
  stop: v.optional(v.null()),
  seed: v.nullish(v.number()),
});
type ChatRequest = v.InferOutput<typeof ChatRequest>;

/** A checked request: what to describe, and how to answer. */
export interface Chat {
  readonly prompt: Prompt;
  readonly tool: Tool | undefined;
  readonly maxTokens: number;
  readonly choices: number;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  readonly tier: Tier;
}

/** Reads a request. Returns a refusal if the service would refuse it. */
export function readChat(body: unknown): Chat | Refusal {
  const read = v.safeParse(ChatRequest, body);
  if (!read.success) return refusalOf(read.issues);
  const request = read.output;
  const refusal = unsupported(request) ?? badFormat(request) ?? badTool(request) ?? orphanedResult(request);
  if (refusal) return refusal;
  const { response_format: format, tool_choice: choice } = request;
  const question = lastQuestion(request);
  const tools = (request.tools ?? []).map(({ function: { name, parameters } }) => ({
    name,
    parameters: parameters ?? {},
  }));
  return {
    prompt: {
      images: imagesOf(request),
      files: [],
      question,
      schema: format?.type === 'json_schema' ? format.json_schema.schema : undefined,
      isJson: format?.type === 'json_object',
    },
    tool: pickTool(tools, {
      choice: typeof choice === 'object' && choice ? { name: choice.function.name } : choice,
      question,
      hasResult: request.messages.findLast(({ role }) => role === 'tool' || role === 'user')?.role === 'tool',
    }),
    maxTokens: request.max_completion_tokens ?? Infinity,
    choices: request.n ?? 1,
    stream: request.stream ?? false,
    includeUsage: request.stream_options?.include_usage ?? false,
    tier: request.service_tier === 'flex' ? 'flex' : 'default',
  };
}

function imagesOf({ messages }: ChatRequest): string[] {
  return messages.flatMap(({ content }) =>
    Array.isArray(content) ? content.flatMap((part) => (part.type === 'image_url' ? [part.image_url.url] : [])) : [],
  );
}

/** Returns the text of the last user message. */
function lastQuestion({ messages }: ChatRequest): string {
  const content = messages.findLast(({ role }) => role === 'user')?.content ?? '';
  if (typeof content === 'string') return content;
  return content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join(' ');
}

/** Refuses `max_tokens`, which GPT-5-class models no longer support. */
function unsupported({ max_tokens }: ChatRequest): Refusal | undefined {
  if (max_tokens === undefined || max_tokens === null) return undefined;
  const message =
    "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
  return { param: 'max_tokens', code: 'unsupported_parameter', message };
}

function badFormat({ response_format: format, messages }: ChatRequest): Refusal | undefined {
  if (format?.type === 'json_object' && !/json/i.test(JSON.stringify(messages))) {
    const message =
      "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.";
    return { param: 'messages', code: null, message };
  }
  const { name, schema, strict } = format?.type === 'json_schema' ? format.json_schema : {};
  const fault = strict ? strictFault(schema) : undefined;
  return fault
    ? { param: 'response_format', code: null, message: `Invalid schema for response_format '${name}': ${fault}` }
    : undefined;
}

function badTool({ tools, tool_choice: choice }: ChatRequest): Refusal | undefined {
  for (const [at, { function: tool }] of (tools ?? []).entries()) {
    const fault = tool.strict ? strictFault(tool.parameters ?? {}) : undefined;
    if (fault) {
      const message = `Invalid schema for function '${tool.name}': ${fault}`;
      return { param: `tools[${at}].function.parameters`, code: 'invalid_function_parameters', message };
    }
  }
  if (!choice || choice === 'none' || choice === 'auto') return undefined;
  const named = typeof choice === 'object' ? choice.function.name : tools?.[0]?.function.name;
  if (tools?.some(({ function: { name } }) => name === named)) return undefined;
  return { param: 'tool_choice', code: null, message: `Invalid value for 'tool_choice': there is no such tool.` };
}

function orphanedResult({ messages }: ChatRequest): Refusal | undefined {
  const calls = new Set(messages.flatMap(({ tool_calls }) => (tool_calls ?? []).map(({ id }) => id)));
  const at = messages.findIndex(({ role, tool_call_id: id }) => role === 'tool' && !calls.has(id ?? ''));
  if (at < 0) return undefined;
  const message = "messages with role 'tool' must be a response to a preceding message with 'tool_calls'.";
  return { param: `messages.[${at}].role`, code: null, message: `Invalid parameter: ${message}` };
}
