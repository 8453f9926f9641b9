import * as v from 'valibot';
import type { Prompt } from './prompt.ts';
import { Neutral, type Refusal, refusalOf } from './refusal.ts';
import { strictFault } from './strict-schema.ts';
import { pickTool, type Tool } from './tool-call.ts';

const Part = v.variant('type', [
  v.strictObject({ type: v.literal('input_text'), text: v.string() }),
  v.strictObject({
    type: v.literal('input_image'),
    image_url: v.string(),
    file_id: v.optional(v.null()),
    detail: v.nullish(v.picklist(['auto', 'low', 'high', 'original'])),
  }),
  v.strictObject({
    type: v.literal('input_file'),
    filename: v.nullish(v.string()),
    file_data: v.string(),
    file_id: v.optional(v.null()),
    file_url: v.optional(v.null()),
  }),
  v.strictObject({
    type: v.literal('output_text'),
    text: v.string(),
    annotations: v.nullish(v.array(v.unknown())),
    logprobs: v.nullish(v.array(v.unknown())),
  }),
  v.strictObject({ type: v.literal('refusal'), refusal: v.string() }),
]);
const Content = v.union([v.string(), v.array(Part)]);
const Status = v.nullish(v.picklist(['in_progress', 'completed', 'incomplete']));

const Item = v.union([
  v.strictObject({
    type: v.optional(v.literal('message')),
    role: v.picklist(['system', 'developer', 'user', 'assistant']),
    content: Content,
    id: v.nullish(v.string()),
    status: Status,
    phase: v.nullish(v.string()),
  }),
  v.strictObject({
    type: v.literal('function_call'),
    call_id: v.string(),
    name: v.string(),
    arguments: v.string(),
    id: v.nullish(v.string()),
    status: Status,
  }),
  v.strictObject({
    type: v.literal('function_call_output'),
    call_id: v.string(),
    output: Content,
    id: v.nullish(v.string()),
    status: Status,
  }),
  v.strictObject({
    type: v.literal('reasoning'),
    id: v.string(),
    summary: v.array(v.unknown()),
    // Required, because nothing is stored: the service can read the reasoning only from this.
    encrypted_content: v.string(),
    status: Status,
  }),
]);
type Item = v.InferOutput<typeof Item>;

const Format = v.variant('type', [
  v.strictObject({ type: v.literal('text') }),
  v.strictObject({ type: v.literal('json_object') }),
  v.strictObject({
    type: v.literal('json_schema'),
    name: v.string(),
    description: v.nullish(v.string()),
    schema: v.record(v.string(), v.unknown()),
    strict: v.nullish(v.boolean()),
  }),
]);

const FunctionTool = v.strictObject({
  type: v.literal('function'),
  name: v.string(),
  description: v.nullish(v.string()),
  parameters: v.nullish(v.record(v.string(), v.unknown())),
  strict: v.nullish(v.boolean()),
});

/** A Responses request. The emulated model refuses members that are not here, as for chat completions. */
const ResponsesRequest = v.strictObject({
  ...Neutral,
  input: v.union([v.string(), v.array(Item)]),
  instructions: v.nullish(v.string()),
  max_output_tokens: v.nullish(v.pipe(v.number(), v.integer(), v.minValue(16))),
  stream_options: v.nullish(v.strictObject({ include_obfuscation: v.nullish(v.boolean()) })),
  text: v.nullish(
    v.strictObject({ format: v.nullish(Format), verbosity: v.nullish(v.picklist(['low', 'medium', 'high'])) }),
  ),
  tools: v.nullish(v.array(FunctionTool)),
  tool_choice: v.nullish(
    v.union([
      v.picklist(['none', 'auto', 'required']),
      v.strictObject({ type: v.literal('function'), name: v.string() }),
    ]),
  ),
  reasoning: v.nullish(v.strictObject({ effort: v.nullish(v.string()), summary: v.nullish(v.string()) })),
  include: v.nullish(v.array(v.literal('reasoning.encrypted_content'))),
  truncation: v.nullish(v.picklist(['auto', 'disabled'])),
  background: v.nullish(v.literal(false)),
  previous_response_id: v.optional(v.null()),
  conversation: v.optional(v.null()),
  prompt: v.optional(v.null()),
  max_tool_calls: v.optional(v.null()),
  top_logprobs: v.nullish(v.literal(0)),
});

/** A checked request. */
export type ResponsesRequest = v.InferOutput<typeof ResponsesRequest>;

/** A checked request, with what to describe and the tool to call. */
export interface ReadRequest {
  readonly request: ResponsesRequest;
  readonly prompt: Prompt;
  readonly tool: Tool | undefined;
}

/** Reads a request. Returns a refusal if the service would refuse it. */
export function readResponsesRequest(body: unknown): ReadRequest | Refusal {
  const read = v.safeParse(ResponsesRequest, body);
  if (!read.success) return refusalOf(read.issues);
  const request = read.output;
  const items: readonly Item[] =
    typeof request.input === 'string' ? [{ role: 'user', content: request.input }] : request.input;
  const refusal = badSchema(request) ?? orphanedResult(items);
  if (refusal) return refusal;

  const parts = items.flatMap(partsOf);
  const format = request.text?.format;
  const question = lastQuestion(items);
  const { tool_choice: choice, tools } = request;
  return {
    request,
    prompt: {
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

function partsOf(item: Item): readonly v.InferOutput<typeof Part>[] {
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

function orphanedResult(items: readonly Item[]): Refusal | undefined {
  const calls = new Set(items.flatMap((item) => (item.type === 'function_call' ? [item.call_id] : [])));
  for (const item of items) {
    if (item.type === 'function_call_output' && !calls.has(item.call_id)) {
      const message = `No tool call found for function call output with call_id ${item.call_id}.`;
      return { param: 'input', code: null, message };
    }
  }
  return undefined;
}
