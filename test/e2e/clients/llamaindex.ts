import type { BaseTool, ToolCallLLM } from '@llamaindex/core/llms';
import { extractText } from '@llamaindex/core/utils';
import { OpenAI, OpenAIResponses } from '@llamaindex/openai';
import { BOAT, type Caller, type Client, collect, WEATHER } from './client.ts';

/** LlamaIndex. Its default temperature, 0.1, is rejected by reasoning models, so these clients set 1. */
export function llamaIndexClients({ base, headers }: Caller): Client[] {
  const options = (signal?: AbortSignal) => ({
    model: 'gpt-5',
    temperature: 1,
    apiKey: 'unused',
    baseURL: `${base}/v1`,
    // LlamaIndex does not know the signal: it takes an abort for a lost connection, and would ask again.
    ...(signal ? { maxRetries: 0 } : {}),
    additionalSessionOptions: {
      defaultHeaders: headers,
      // LlamaIndex has no option for an abort signal.
      fetch: async (url: string | URL | Request, init?: RequestInit) => fetch(url, signal ? { ...init, signal } : init),
    },
  });
  return [
    client('LlamaIndex', (signal) => new OpenAI(options(signal))),
    client('LlamaIndex, Responses', (signal) => new OpenAIResponses(options(signal))),
  ];
}

/** Asks without setting a temperature, so that LlamaIndex sends its default. */
export async function askWithDefaultTemperature({ base, headers }: Caller, question: string): Promise<unknown> {
  const additionalSessionOptions = { defaultHeaders: headers };
  const llm = new OpenAI({ model: 'gpt-5', apiKey: 'unused', baseURL: `${base}/v1`, additionalSessionOptions });
  return llm.chat({ messages: [{ role: 'user', content: question }] });
}

function client(name: string, connect: (signal?: AbortSignal) => ToolCallLLM): Client {
  const messages = (text: string, url: string) => [
    {
      role: 'user' as const,
      content: [
        { type: 'text' as const, text },
        { type: 'image_url' as const, image_url: { url } },
      ],
    },
  ];
  const llm = connect();
  return {
    name,
    row: name,
    path: '/v1',
    ask: async (question, image, signal) =>
      extractText((await connect(signal).chat({ messages: messages(question, image) })).message.content),
    stream: async (question, image) =>
      collect(await llm.chat({ messages: messages(question, image), stream: true }), ({ delta }) => delta),
    async structured(question, image) {
      const format = { name: 'boat', schema: BOAT, strict: true };
      const { message } = await llm.chat({
        messages: messages(question, image),
        // OpenAIResponses ignores responseFormat.
        ...(name.endsWith('Responses')
          ? { additionalChatOptions: { text: { format: { type: 'json_schema', ...format } } } }
          : { responseFormat: { type: 'json_schema', json_schema: format } }),
      });
      return JSON.parse(extractText(message.content));
    },
    async tool(question) {
      const tools: BaseTool[] = [{ metadata: WEATHER }];
      const { message } = await llm.chat({ messages: [{ role: 'user', content: question }], tools });
      const [call] = (message.options as { toolCall?: { input: unknown }[] } | undefined)?.toolCall ?? [];
      return typeof call?.input === 'string' ? JSON.parse(call.input) : call?.input;
    },
  };
}
