import { z } from 'zod';
import type { Tier } from './completion.ts';
import type { Look } from './look.ts';
import { Neutral, type Refusal, refusalOf } from './refusal.ts';
import { strictFault } from './strict-schema.ts';
import { pickTool, type Tool } from './tool-call.ts';

const Detail = z.enum(['auto', 'low', 'high', 'original']).nullish();
const Part = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text'), text: z.string() }),
  z.strictObject({
    type: z.literal('image_url'),
    image_url: z.strictObject({ url: z.string(), detail: Detail }),
  }),
  z.strictObject({ type: z.literal('refusal'), refusal: z.string() }),
]);

const ToolCall = z.strictObject({
  id: z.string(),
  type: z.literal('function'),
  function: z.strictObject({ name: z.string(), arguments: z.string() }),
});

const Message = z.strictObject({
  role: z.enum(['system', 'developer', 'user', 'assistant', 'tool']),
  content: z.union([z.string(), z.array(Part)]).nullish(),
  name: z.string().nullish(),
  refusal: z.string().nullish(),
  tool_calls: z.array(ToolCall).nullish(),
  tool_call_id: z.string().nullish(),
  annotations: z.array(z.unknown()).nullish(),
  audio: z.null().optional(),
  function_call: z.null().optional(),
  parsed: z.unknown().optional(),
});

const JsonSchema = z.strictObject({
  name: z.string(),
  description: z.string().nullish(),
  schema: z.record(z.string(), z.unknown()),
  strict: z.boolean().nullish(),
});
const ResponseFormat = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text') }),
  z.strictObject({ type: z.literal('json_object') }),
  z.strictObject({ type: z.literal('json_schema'), json_schema: JsonSchema }),
]);

const FunctionTool = z.strictObject({
  type: z.literal('function'),
  function: z.strictObject({
    name: z.string(),
    description: z.string().nullish(),
    parameters: z.record(z.string(), z.unknown()).nullish(),
    strict: z.boolean().nullish(),
  }),
});

/**
 * A Chat Completions request. A member that is not here is one that the emulated model does not play, and is refused by
 * name: what it ignored in silence would surprise whoever deploys.
 */
const ChatRequest = z.strictObject({
  ...Neutral,
  messages: z.array(Message).min(1, "[] is too short - 'messages'"),
  max_completion_tokens: z.int().min(1).nullish(),
  max_tokens: z.unknown().optional(),
  n: z.int().min(1).max(128).nullish(),
  response_format: ResponseFormat.nullish(),
  stream_options: z
    .strictObject({ include_usage: z.boolean().nullish(), include_obfuscation: z.boolean().nullish() })
    .nullish(),
  tools: z.array(FunctionTool).nullish(),
  tool_choice: z
    .union([
      z.enum(['none', 'auto', 'required']),
      z.strictObject({ type: z.literal('function'), function: z.strictObject({ name: z.string() }) }),
    ])
    .nullish(),
  reasoning_effort: z.string().nullish(),
  verbosity: z.enum(['low', 'medium', 'high']).nullish(),
  presence_penalty: z.literal(0).nullish(),
  frequency_penalty: z.literal(0).nullish(),
  logprobs: z.literal(false).nullish(),
  top_logprobs: z.literal(0).nullish(),
  logit_bias: z.strictObject({}).nullish(),
  stop: z.null().optional(),
  seed: z.number().nullish(),
});
type ChatRequest = z.infer<typeof ChatRequest>;

/** A checked request: what to look at, and how to answer. */
export interface Chat {
  readonly look: Look;
  readonly tool: Tool | undefined;
  readonly maxTokens: number;
  readonly choices: number;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  readonly tier: Tier;
}

/** Reads a request, or says why the service refuses it. */
export function readChat(body: unknown): Chat | Refusal {
  const { data: request, error } = ChatRequest.safeParse(body);
  if (!request) return refusalOf(error);
  const refusal = unsupported(request) ?? badFormat(request) ?? badTool(request) ?? lostResult(request);
  if (refusal) return refusal;
  const { response_format: format, tool_choice: choice } = request;
  const question = lastQuestion(request);
  const tools = (request.tools ?? []).map(({ function: { name, parameters } }) => ({
    name,
    parameters: parameters ?? {},
  }));
  return {
    look: {
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

/** What the user said last. */
function lastQuestion({ messages }: ChatRequest): string {
  const content = messages.findLast(({ role }) => role === 'user')?.content ?? '';
  if (typeof content === 'string') return content;
  return content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join(' ');
}

/** What a model of the GPT-5 class does not take any more, though older ones did. */
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

function lostResult({ messages }: ChatRequest): Refusal | undefined {
  const calls = new Set(messages.flatMap(({ tool_calls }) => (tool_calls ?? []).map(({ id }) => id)));
  const at = messages.findIndex(({ role, tool_call_id: id }) => role === 'tool' && !calls.has(id ?? ''));
  if (at < 0) return undefined;
  const message = "messages with role 'tool' must be a response to a preceding message with 'tool_calls'.";
  return { param: `messages.[${at}].role`, code: null, message: `Invalid parameter: ${message}` };
}
