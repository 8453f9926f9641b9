import { HumanMessage } from '@langchain/core/messages';
import { AzureChatOpenAI, ChatOpenAI } from '@langchain/openai';
import { BOAT, type Caller, type Client, collect, WEATHER } from './client.ts';

/**
 * LangChain's clients for OpenAI and for Azure. By default they repeat a request up to six times, also after an error
 * with status 415 or 422, so these clients set `maxRetries`.
 */
export function langChainClients({ base, headers }: Caller): Client[] {
  const plain = { apiKey: 'unused', maxRetries: 0, configuration: { baseURL: `${base}/v1`, defaultHeaders: headers } };
  return [
    client('LangChain ChatOpenAI', '/v1', new ChatOpenAI({ ...plain, model: 'gpt-4o' })),
    client(
      'LangChain ChatOpenAI, Responses',
      '/v1',
      new ChatOpenAI({ ...plain, model: 'gpt-4o', useResponsesApi: true }),
    ),
    client(
      'LangChain AzureChatOpenAI',
      '',
      new AzureChatOpenAI({
        model: 'gpt-4o',
        azureOpenAIEndpoint: base,
        azureOpenAIApiKey: 'unused',
        azureOpenAIApiDeploymentName: 'any-name',
        azureOpenAIApiVersion: '2024-10-21',
        maxRetries: 0,
        configuration: { defaultHeaders: headers },
      }),
    ),
  ];
}

function client(name: string, path: string, model: ChatOpenAI | AzureChatOpenAI): Client {
  const message = (text: string, url: string) =>
    new HumanMessage({
      content: [
        { type: 'text', text },
        { type: 'image_url', image_url: { url } },
      ],
    });
  return {
    name,
    row: name.replace(', Responses', ''),
    path,
    ask: async (question, image, signal) =>
      (await model.invoke([message(question, image)], signal ? { signal } : {})).text,
    stream: async (question, image) => collect(await model.stream([message(question, image)]), ({ text }) => text),
    structured: async (question, image) =>
      model
        .withStructuredOutput(BOAT, { name: 'boat', method: 'jsonSchema', strict: true })
        .invoke([message(question, image)]),
    async tool(question) {
      const answer = await model.bindTools([{ type: 'function', function: WEATHER }]).invoke(question);
      return answer.tool_calls?.[0]?.args;
    },
  };
}
