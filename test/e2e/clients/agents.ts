import { Agent, type AgentInputItem, OpenAIProvider, Runner, tool } from '@openai/agents';
import { z } from 'zod';
import { OpenAI } from 'openai';
import { type Caller, type Client, collect, WEATHER } from './client.ts';

/** OpenAI's Agents SDK, with the Responses API, which is its default, and with chat completions. */
export function agentsClients({ base, headers }: Caller): Client[] {
  const openAIClient = new OpenAI({ baseURL: base, apiKey: 'unused', defaultHeaders: headers });
  return [true, false].map((useResponses) => {
    const modelProvider = new OpenAIProvider({ openAIClient, useResponses });
    const runner = new Runner({ modelProvider, tracingDisabled: true });
    return client(useResponses ? 'OpenAI Agents' : 'OpenAI Agents, chat completions', runner);
  });
}

function client(name: string, runner: Runner): Client {
  const input = (text: string, image: string): AgentInputItem[] => [
    {
      role: 'user',
      content: [
        { type: 'input_text', text },
        { type: 'input_image', image },
      ],
    },
  ];
  const agent = new Agent({ name: 'looker', model: 'gpt-5' });
  return {
    name,
    row: 'OpenAI Agents',
    path: '',
    async ask(question, image, signal) {
      return String((await runner.run(agent, input(question, image), signal ? { signal } : {})).finalOutput);
    },
    async stream(question, image) {
      const result = await runner.run(agent, input(question, image), { stream: true });
      const words = await collect(result.toTextStream(), (word) => word);
      await result.completed;
      return words;
    },
    async structured(question, image) {
      const outputType = z.object({ name: z.string(), sails: z.int().min(2) });
      const typed = new Agent({ name: 'typed', model: 'gpt-5', outputType });
      return (await runner.run(typed, input(question, image))).finalOutput;
    },
    async tool(question) {
      let args: unknown;
      const getWeather = tool({
        name: WEATHER.name,
        description: WEATHER.description,
        parameters: z.object({ place: z.string() }),
        execute(given) {
          args = given;
          return 'Sunny';
        },
      });
      const asker = new Agent({ name: 'asker', model: 'gpt-5', tools: [getWeather] });
      return (await runner.run(asker, question)).finalOutput ? args : undefined;
    },
  };
}
