import { z } from 'zod';
import type { Look } from './look.ts';
import { Neutral, type Refusal, refusalOf } from './refusal.ts';
import { strictFault } from './strict-schema.ts';
import { pickTool, type Tool } from './tool-call.ts';

const Part = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('input_text'), text: z.string() }),
  z.strictObject({
    type: z.literal('input_image'),
    image_url: z.string(),
    file_id: z.null().optional(),
    detail: z.enum(['auto', 'low', 'high', 'original']).nullish(),
  }),
  z.strictObject({
    type: z.literal('input_file'),
    filename: z.string().nullish(),
    file_data: z.string(),
    file_id: z.null().optional(),
    file_url: z.null().optional(),
  }),
  z.strictObject({
    type: z.literal('output_text'),
    text: z.string(),
    annotations: z.array(z.unknown()).nullish(),
    logprobs: z.array(z.unknown()).nullish(),
  }),
  z.strictObject({ type: z.literal('refusal'), refusal: z.string() }),
]);
const Content = z.union([z.string(), z.array(Part)]);
const Status = z.enum(['in_progress', 'completed', 'incomplete']).nullish();

const Item = z.union([
  z.strictObject({
    type: z.literal('message').optional(),
    role: z.enum(['system', 'developer', 'user', 'assistant']),
    content: Content,
    id: z.string().nullish(),
    status: Status,
    phase: z.string().nullish(),
  }),
  z.strictObject({
    type: z.literal('function_call'),
    call_id: z.string(),
    name: z.string(),
    arguments: z.string(),
    id: z.string().nullish(),
    status: Status,
  }),
  z.strictObject({
    type: z.literal('function_call_output'),
    call_id: z.string(),
    output: Content,
    id: z.string().nullish(),
    status: Status,
  }),
  z.strictObject({
    type: z.literal('reasoning'),
    id: z.string(),
    summary: z.array(z.unknown()),
    // What is not stored can only be known from this.
    encrypted_content: z.string(),
    status: Status,
  }),
]);
type Item = z.infer<typeof Item>;

const Format = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text') }),
  z.strictObject({ type: z.literal('json_object') }),
  z.strictObject({
    type: z.literal('json_schema'),
    name: z.string(),
    description: z.string().nullish(),
    schema: z.record(z.string(), z.unknown()),
    strict: z.boolean().nullish(),
  }),
]);

const FunctionTool = z.strictObject({
  type: z.literal('function'),
  name: z.string(),
  description: z.string().nullish(),
  parameters: z.record(z.string(), z.unknown()).nullish(),
  strict: z.boolean().nullish(),
});

/** A Responses request. A member that is not here is refused by name, as those of chat completions are. */
const ResponsesRequest = z.strictObject({
  ...Neutral,
  input: z.union([z.string(), z.array(Item)]),
  instructions: z.string().nullish(),
  max_output_tokens: z.int().min(16).nullish(),
  stream_options: z.strictObject({ include_obfuscation: z.boolean().nullish() }).nullish(),
  text: z.strictObject({ format: Format.nullish(), verbosity: z.enum(['low', 'medium', 'high']).nullish() }).nullish(),
  tools: z.array(FunctionTool).nullish(),
  tool_choice: z
    .union([z.enum(['none', 'auto', 'required']), z.strictObject({ type: z.literal('function'), name: z.string() })])
    .nullish(),
  reasoning: z.strictObject({ effort: z.string().nullish(), summary: z.string().nullish() }).nullish(),
  include: z.array(z.literal('reasoning.encrypted_content')).nullish(),
  truncation: z.enum(['auto', 'disabled']).nullish(),
  background: z.literal(false).nullish(),
  previous_response_id: z.null().optional(),
  conversation: z.null().optional(),
  prompt: z.null().optional(),
  max_tool_calls: z.null().optional(),
  top_logprobs: z.literal(0).nullish(),
});

/** A checked request. */
export type ResponsesRequest = z.infer<typeof ResponsesRequest>;

/** What to look at, and how to answer. */
export interface Asked {
  readonly request: ResponsesRequest;
  readonly look: Look;
  readonly tool: Tool | undefined;
}

/** Reads a request, or says why the service refuses it. */
export function readResponsesRequest(body: unknown): Asked | Refusal {
  const { data: request, error } = ResponsesRequest.safeParse(body);
  if (!request) return refusalOf(error);
  const items: readonly Item[] =
    typeof request.input === 'string' ? [{ role: 'user', content: request.input }] : request.input;
  const refusal = badSchema(request) ?? lostResult(items);
  if (refusal) return refusal;

  const parts = items.flatMap(partsOf);
  const format = request.text?.format;
  const question = lastQuestion(items);
  const { tool_choice: choice, tools } = request;
  return {
    request,
    look: {
      images: parts.flatMap((part) => (part.type === 'input_image' ? [part.image_url] : [])),
      files: parts.flatMap((part) => (part.type === 'input_file' ? [part.file_data] : [])),
      question,
      schema: format?.type === 'json_schema' ? format.schema : undefined,
      isJson: format?.type === 'json_object',
    },
    tool: pickTool(
      (tools ?? []).map(({ name, parameters }) => ({ name, parameters: parameters ?? {} })),
      { choice, question, hasResult: items.at(-1)?.type === 'function_call_output' },
    ),
  };
}

function partsOf(item: Item): readonly z.infer<typeof Part>[] {
  const content = 'content' in item ? item.content : 'output' in item ? item.output : '';
  return typeof content === 'string' ? [{ type: 'input_text', text: content }] : content;
}

function lastQuestion(items: readonly Item[]): string {
  const asked = items.findLast((item) => 'role' in item && item.role === 'user');
  return (asked ? partsOf(asked) : []).flatMap((part) => (part.type === 'input_text' ? [part.text] : [])).join(' ');
}

function badSchema({ text, tools, input, instructions }: ResponsesRequest): Refusal | undefined {
  const format = text?.format;
  if (format?.type === 'json_object' && !/json/i.test(JSON.stringify([input, instructions]))) {
    const message =
      "Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'.";
    return { param: 'input', code: null, message };
  }
  if (format?.type === 'json_schema' && format.strict) {
    const fault = strictFault(format.schema);
    const message = `Invalid schema for response_format '${format.name}': ${fault}`;
    if (fault) return { param: 'text.format.schema', code: 'invalid_json_schema', message };
  }
  for (const [at, { name, parameters, strict }] of (tools ?? []).entries()) {
    const fault = strict ? strictFault(parameters ?? {}) : undefined;
    const message = `Invalid schema for function '${name}': ${fault}`;
    if (fault) return { param: `tools[${at}].parameters`, code: 'invalid_function_parameters', message };
  }
  return undefined;
}

function lostResult(items: readonly Item[]): Refusal | undefined {
  const calls = new Set(items.flatMap((item) => (item.type === 'function_call' ? [item.call_id] : [])));
  for (const item of items) {
    if (item.type === 'function_call_output' && !calls.has(item.call_id)) {
      const message = `No tool call found for function call output with call_id ${item.call_id}.`;
      return { param: 'input', code: null, message };
    }
  }
  return undefined;
}
