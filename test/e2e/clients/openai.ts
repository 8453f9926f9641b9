import { AzureOpenAI, OpenAI } from 'openai';
import { AzureOpenAI as AzureOpenAI4, OpenAI as OpenAI4 } from 'openai-4';
import { AzureOpenAI as AzureOpenAI5, OpenAI as OpenAI5 } from 'openai-5';
import { AzureOpenAI as AzureOpenAI6, OpenAI as OpenAI6 } from 'openai-6';
import { BOAT, type Caller, type Client, collect, WEATHER } from './client.ts';

type AnyOpenAI = Pick<OpenAI, 'chat' | 'responses' | 'models'>;

const VERSIONS = [
  { major: 4, Plain: OpenAI4, Azure: AzureOpenAI4, prefix: '/v1' },
  { major: 5, Plain: OpenAI5, Azure: AzureOpenAI5, prefix: '/openai/v1' },
  { major: 6, Plain: OpenAI6, Azure: AzureOpenAI6, prefix: '/openai' },
  { major: 7, Plain: OpenAI, Azure: AzureOpenAI, prefix: '' },
];

/** Every major version of OpenAI's client, each with another usual prefix in its base URL, and of its Azure client. */
export function openAiClients({ base, headers }: Caller): Client[] {
  return VERSIONS.flatMap(({ major, Plain, Azure, prefix }) => {
    const plain: AnyOpenAI = new Plain({
      baseURL: base + prefix,
      apiKey: 'unused',
      defaultHeaders: headers,
    }) as AnyOpenAI;
    const azure: AnyOpenAI = new Azure({
      endpoint: base,
      apiKey: 'unused',
      apiVersion: '2024-10-21',
      deployment: 'any-name',
      defaultHeaders: headers,
    }) as AnyOpenAI;
    return [
      { ...chat(`openai ${major} at ${prefix || '/'}`, plain), row: '`openai`', path: prefix },
      { ...responses(`openai ${major} at ${prefix || '/'}, Responses`, plain), row: '`openai`', path: prefix },
      { ...chat(`AzureOpenAI ${major}`, azure), row: '`AzureOpenAI`', path: '' },
    ];
  });
}

function chat(name: string, client: AnyOpenAI): Omit<Client, 'row' | 'path'> {
  const model = 'gpt-4o';
  const messages = (text: string, url?: string) => [
    {
      role: 'user' as const,
      content: [{ type: 'text' as const, text }, ...(url ? [{ type: 'image_url' as const, image_url: { url } }] : [])],
    },
  ];
  return {
    name,
    async ask(question, image, signal) {
      const request = { model, messages: messages(question, image), max_tokens: 500 };
      const { choices } = await client.chat.completions.create(request, signal ? { signal } : {});
      return choices[0]?.message.content ?? '';
    },
    async stream(question, image) {
      const stream = await client.chat.completions.create({
        model,
        messages: messages(question, image),
        stream: true,
        stream_options: { include_usage: true },
      });
      return collect(stream, ({ choices }) => choices[0]?.delta.content);
    },
    async structured(question, image) {
      const { choices } = await client.chat.completions.create({
        model,
        messages: messages(question, image),
        response_format: { type: 'json_schema', json_schema: { name: 'boat', schema: BOAT, strict: true } },
      });
      return JSON.parse(choices[0]?.message.content ?? '');
    },
    async tool(question) {
      const { choices } = await client.chat.completions.create({
        model,
        messages: messages(question),
        tools: [{ type: 'function', function: WEATHER }],
      });
      const [call] = choices[0]?.message.tool_calls ?? [];
      return call?.type === 'function' ? JSON.parse(call.function.arguments) : undefined;
    },
  };
}

function responses(name: string, client: AnyOpenAI): Omit<Client, 'row' | 'path'> {
  const model = 'gpt-5';
  const input = (text: string, url: string) => [
    {
      role: 'user' as const,
      content: [
        { type: 'input_text' as const, text },
        { type: 'input_image' as const, image_url: url, detail: 'auto' as const },
      ],
    },
  ];
  return {
    name,
    async ask(question, image, signal) {
      const request = { model, input: input(question, image), store: true };
      return (await client.responses.create(request, signal ? { signal } : {})).output_text;
    },
    async stream(question, image) {
      const stream = await client.responses.create({ model, input: input(question, image), stream: true });
      return collect(stream, (event) => (event.type === 'response.output_text.delta' ? event.delta : undefined));
    },
    async structured(question, image) {
      const { output_text: text } = await client.responses.create({
        model,
        input: input(question, image),
        text: { format: { type: 'json_schema', name: 'boat', schema: BOAT, strict: true } },
      });
      return JSON.parse(text);
    },
    async tool(question) {
      const tools = [{ type: 'function' as const, ...WEATHER }];
      const { output } = await client.responses.create({ model, input: question, tools });
      const [call] = output;
      if (call?.type !== 'function_call') return undefined;
      const result = { type: 'function_call_output' as const, call_id: call.call_id, output: 'Sunny' };
      const conversation = [{ role: 'user' as const, content: question }, call, result];
      const next = await client.responses.create({ model, input: conversation, tools });
      return next.output_text ? JSON.parse(call.arguments) : undefined;
    },
  };
}
