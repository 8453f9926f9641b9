import { z } from 'zod';
import { strictFault } from './strict-schema.ts';

const Part = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text'), text: z.string() }),
  z.object({
    type: z.literal('image_url'),
    image_url: z.object({ url: z.string(), detail: z.enum(['auto', 'low', 'high']).optional() }),
  }),
]);

const Message = z.object({
  role: z.enum(['system', 'developer', 'user', 'assistant', 'tool']),
  content: z.union([z.string(), z.array(Part)]).nullish(),
});

/** As much of a Chat Completions request as the emulated model looks at. */
export const ChatRequest = z.object({
  model: z.string().optional(),
  messages: z.array(Message).min(1, "[] is too short - 'messages'"),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().optional() }).nullish(),
  max_completion_tokens: z.int().min(1).nullish(),
  max_tokens: z.unknown().optional(),
  temperature: z.number().nullish(),
  response_format: z
    .object({
      type: z.string(),
      json_schema: z
        .object({ name: z.string().optional(), schema: z.unknown(), strict: z.boolean().nullish() })
        .optional(),
    })
    .nullish(),
});

/** A checked request. */
export type ChatRequest = z.infer<typeof ChatRequest>;

/** The images of a request, as data URLs or whatever else stands there, in order. */
export function imagesOf({ messages }: ChatRequest): string[] {
  return messages.flatMap(({ content }) =>
    Array.isArray(content) ? content.flatMap((part) => (part.type === 'image_url' ? [part.image_url.url] : [])) : [],
  );
}

/** What the user said last. */
export function lastQuestion({ messages }: ChatRequest): string {
  const content = messages.findLast(({ role }) => role === 'user')?.content ?? '';
  if (typeof content === 'string') return content;
  return content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join(' ');
}

/** Why a request is refused, as the service words it. */
export interface Refusal {
  readonly param: string;
  readonly code: string | null;
  readonly message: string;
}

/** A schema that the service is asked to guarantee and cannot. */
export function unguaranteed({ response_format }: ChatRequest): Refusal | undefined {
  const { name = '', schema, strict } = response_format?.json_schema ?? {};
  const fault = strict ? strictFault(schema) : undefined;
  if (!fault) return undefined;
  return {
    param: 'response_format',
    code: null,
    message: `Invalid schema for response_format '${name}': ${fault}`,
  };
}

/** What a model of the GPT-5 class does not take any more, though older ones did. */
export function unsupported({ max_tokens, temperature }: ChatRequest): Refusal | undefined {
  if (max_tokens !== undefined && max_tokens !== null) {
    const message =
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
    return { param: 'max_tokens', code: 'unsupported_parameter', message };
  }
  if (typeof temperature === 'number' && temperature !== 1) {
    const message = `Unsupported value: 'temperature' does not support ${temperature} with this model. Only the default (1) value is supported.`;
    return { param: 'temperature', code: 'unsupported_value', message };
  }
  return undefined;
}
