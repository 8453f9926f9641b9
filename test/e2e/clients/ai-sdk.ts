import { createAzure } from '@ai-sdk/azure';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import {
  generateText,
  jsonSchema,
  type LanguageModel,
  type ModelMessage,
  Output,
  stepCountIs,
  streamText,
  tool,
} from 'ai';
import { BOAT, type Caller, type Client, collect, WEATHER } from './client.ts';

/** Vercel's AI SDK, whose `openai()` and `azure()` use the Responses API. */
export function aiSdkClients({ base, headers }: Caller): Client[] {
  const openai = createOpenAI({ baseURL: `${base}/v1`, apiKey: 'unused', headers });
  const azure = createAzure({ baseURL: `${base}/openai`, apiKey: 'unused', headers });
  const compatible = createOpenAICompatible({
    name: 'keyless',
    baseURL: base,
    headers,
    supportsStructuredOutputs: true,
  });
  return [
    client('AI SDK openai()', '/v1', openai('gpt-5')),
    client('AI SDK openai.chat()', '/v1', openai.chat('gpt-4o')),
    client('AI SDK azure()', '/openai', azure('any-name')),
    client('AI SDK azure.chat()', '/openai', azure.chat('any-name')),
    client('AI SDK openai-compatible', '', compatible('gpt-4o')),
  ];
}

function client(name: string, path: string, model: LanguageModel): Client {
  const messages = (text: string, url: string): ModelMessage[] => [
    {
      role: 'user',
      content: [
        { type: 'text', text },
        { type: 'file', mediaType: 'image/png', data: url.slice(url.indexOf(',') + 1) },
      ],
    },
  ];
  return {
    name,
    row: name.replace('.chat()', '()'),
    path,
    async ask(question, image, signal) {
      const request = { model, messages: messages(question, image) };
      return (await generateText(signal ? { ...request, abortSignal: signal } : request)).text;
    },
    async stream(question, image) {
      return collect(streamText({ model, messages: messages(question, image) }).textStream, (word) => word);
    },
    async structured(question, image) {
      const { output } = await generateText({
        model,
        messages: messages(question, image),
        output: Output.object({ schema: jsonSchema(BOAT) }),
      });
      return output;
    },
    async tool(question) {
      let args: unknown;
      const getWeather = tool({
        description: WEATHER.description,
        inputSchema: jsonSchema(WEATHER.parameters),
        execute(input) {
          args = input;
          return 'Sunny';
        },
      });
      const tools = { get_weather: getWeather };
      const { text } = await generateText({ model, prompt: question, tools, stopWhen: stepCountIs(3) });
      return text ? args : undefined;
    },
  };
}
