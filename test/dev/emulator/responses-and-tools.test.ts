import { OpenAI } from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type EmulatedAzure, startAzure } from '../../../src/dev/emulator/azure.ts';
import { still } from '../../images/still.ts';
import { collect, dataUrl, question } from './client.ts';

const model = 'gpt-vision';
const parameters = {
  type: 'object',
  properties: { place: { type: 'string' }, days: { type: 'integer', minimum: 2 } },
  required: ['place', 'days'],
  additionalProperties: false,
};
const weather = { name: 'get_weather', description: 'The weather', parameters, strict: true };
const chatTools = [{ type: 'function' as const, function: weather }];
const tools = [{ type: 'function' as const, ...weather }];

let azure: EmulatedAzure;
let client: OpenAI;
beforeAll(async () => {
  azure = await startAzure({ record: true });
  const baseURL = new URL('openai/v1/', azure.env['AZURE_OPENAI_ENDPOINT']).href;
  client = new OpenAI({ baseURL, apiKey: azure.key, maxRetries: 0 });
});
beforeEach(() => azure.reset());
afterAll(() => azure.close());

describe('a response', () => {
  test('describes images and files, and has the token usage', async () => {
    const image = await still('image/png', 30, 20);
    const pdf = Buffer.from('%PDF-1.7\n%%EOF');
    const {
      output_text: text,
      usage,
      status,
    } = await client.responses.create({
      model,
      input: [
        {
          role: 'user',
          content: [
            { type: 'input_text', text: 'What is this?' },
            { type: 'input_image', image_url: dataUrl('image/png', image), detail: 'low' },
            { type: 'input_file', filename: 'a.pdf', file_data: dataUrl('application/pdf', pdf) },
          ],
        },
      ],
    });
    expect(text).toContain('A PNG image of 30 x 20 pixels');
    expect(text).toContain('A PDF file of 14 bytes. You asked: "What is this?"');
    expect(status).toBe('completed');
    expect(usage?.total_tokens).toBe(Number(usage?.input_tokens) + Number(usage?.output_tokens));
  });

  test('is streamed as events, from response.created to response.completed', async () => {
    const events = await collect(await client.responses.create({ model, input: 'Hello?', stream: true }));
    expect(events.map(({ type }) => type).filter((type) => !type.endsWith('.delta'))).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ]);
    expect(events.map(({ sequence_number }) => sequence_number)).toEqual(events.map((_, at) => at));
    const text = events.map((event) => (event.type === 'response.output_text.delta' ? event.delta : '')).join('');
    expect(text).toBe('[emulated Azure] There is no image. You asked: "Hello?"');
    expect(events.at(-1)).toMatchObject({ response: { output: [{ content: [{ text }] }] } });
  });

  test('is incomplete if it reaches max_output_tokens, streamed or not', async () => {
    const input = 'word '.repeat(50);
    const whole = await client.responses.create({ model, input, max_output_tokens: 16 });
    expect(whole).toMatchObject({ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } });
    const events = await collect(await client.responses.create({ model, input, max_output_tokens: 16, stream: true }));
    expect(events.at(-1)?.type).toBe('response.incomplete');
  });

  test('calls a tool, answers when it has the result, and rejects a result without a call', async () => {
    const input = [{ role: 'user' as const, content: 'Ask get_weather.' }];
    const { output } = await client.responses.create({ model, input, tools });
    const [call] = output;
    expect(call).toMatchObject({ type: 'function_call', name: 'get_weather' });
    if (call?.type !== 'function_call') return;
    expect(JSON.parse(call.arguments)).toEqual({ place: expect.any(String), days: 2 });
    const { call_id } = call;
    const result = { type: 'function_call_output' as const, call_id, output: 'Sunny' };
    const next = await client.responses.create({ model, input: [...input, call, result], tools });
    expect(next.output).toMatchObject([{ type: 'message' }]);
    await expect(client.responses.create({ model, input: [...input, result], tools })).rejects.toThrow('No tool call');
  });

  test('satisfies a JSON Schema', async () => {
    const text = { format: { type: 'json_schema' as const, name: 'weather', schema: parameters, strict: true } };
    const { output_text } = await client.responses.create({ model, input: 'Hello?', text });
    expect(JSON.parse(output_text)).toEqual({ place: expect.stringContaining('Hello?'), days: 2 });
  });
});

describe('a chat completion', () => {
  test.each(['required', { type: 'function', function: { name: 'get_weather' } }] as const)(
    'calls a tool if tool_choice is %j, streamed or not',
    async (tool_choice) => {
      const request = { model, messages: [question('Hello?')], tools: chatTools, tool_choice };
      const { choices } = await client.chat.completions.create(request);
      expect(choices[0]).toMatchObject({ finish_reason: 'tool_calls', message: { content: null } });
      const [call] = choices[0]?.message.tool_calls ?? [];
      if (call?.type !== 'function') throw new Error('The answer has no function call.');
      expect(JSON.parse(call.function.arguments)).toEqual({ place: expect.any(String), days: 2 });

      const streamed = await client.chat.completions.stream(request).finalChatCompletion();
      expect(streamed.choices[0]?.message.tool_calls?.[0]).toMatchObject({ function: call.function });
    },
  );

  test('answers when it has the result of the tool', async () => {
    const messages = [question('Ask get_weather.')];
    const { choices } = await client.chat.completions.create({ model, messages, tools: chatTools });
    const [call] = choices[0]?.message.tool_calls ?? [];
    const toolTurn = [choices[0]?.message, { role: 'tool' as const, tool_call_id: call?.id ?? '', content: 'Sunny' }];
    const next = await client.chat.completions.create({
      model,
      messages: [...messages, ...toolTurn.filter((message) => message !== undefined)],
      tools: chatTools,
    });
    expect(next.choices[0]?.finish_reason).toBe('stop');
  });

  test('is a JSON object if response_format asks for one, which needs the word JSON in a message', async () => {
    const response_format = { type: 'json_object' as const };
    const ask = async (text: string) =>
      client.chat.completions.create({ model, messages: [question(text)], response_format });
    expect(JSON.parse((await ask('Answer in JSON.')).choices[0]?.message.content ?? '')).toEqual({
      answer: expect.stringContaining('Answer in JSON.'),
    });
    await expect(ask('Answer.')).rejects.toThrow("must contain the word 'json'");
  });

  test('has n choices, streamed or not', async () => {
    const request = { model, messages: [question('Hello?')], n: 3 };
    const { choices, usage } = await client.chat.completions.create(request);
    expect(choices.map(({ index }) => index)).toEqual([0, 1, 2]);
    const streamed = await client.chat.completions.stream(request).finalChatCompletion();
    expect(streamed.choices.map(({ message }) => message.content)).toEqual(
      choices.map(({ message }) => message.content),
    );
    expect(usage?.completion_tokens).toBe(3 * (choices[0]?.message.content?.split(' ').length ?? 0));
  });
});

describe('an option that is not emulated', () => {
  const messages = [question('Hello?')];

  test.each([
    ['/openai/v1/chat/completions', { model, messages, web_search_options: {} }, 'web_search_options'],
    ['/openai/v1/chat/completions', { model, messages, modalities: ['audio'] }, 'modalities'],
    ['/openai/v1/chat/completions', { model, messages, stop: ['x'] }, 'stop'],
    ['/openai/v1/chat/completions', { model, messages, logprobs: true }, 'logprobs'],
    ['/openai/v1/chat/completions', { model, messages, tools: [{ type: 'custom' }] }, 'tools.0.type'],
    ['/openai/v1/chat/completions', { model, messages: [{ role: 'user', content: 'x', x: 1 }] }, 'messages.0.x'],
    ['/openai/v1/responses', { model, input: 'Hello?', background: true }, 'background'],
    ['/openai/v1/responses', { model, input: 'Hello?', previous_response_id: 'resp_1' }, 'previous_response_id'],
    ['/openai/v1/responses', { model, input: 'Hello?', temperature: 0 }, 'temperature'],
    ['/openai/v1/responses', { model, input: 'Hello?', tools: [{ type: 'web_search' }] }, 'tools.0.type'],
    ['/openai/v1/responses', { model, input: 'Hello?', max_tokens: 5 }, 'max_tokens'],
  ])('is rejected by name at %s: %j', async (path, body, param) => {
    const response = await fetch(new URL(path, azure.env['AZURE_OPENAI_ENDPOINT']), {
      method: 'POST',
      headers: { 'api-key': azure.key, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { param, message: expect.stringContaining(param) } });
  });

  test.each([null, undefined])('is ignored if its value is %s', async (nothing) => {
    const body = { model, input: 'Hello?', temperature: nothing, previous_response_id: nothing, tools: nothing };
    const response = await fetch(new URL('/openai/v1/responses', azure.env['AZURE_OPENAI_ENDPOINT']), {
      method: 'POST',
      headers: { 'api-key': azure.key, 'content-type': 'application/json' },
      body: JSON.stringify({ ...body, tool_choice: nothing, text: nothing, store: nothing, stream: nothing }),
    });
    expect(response.status).toBe(200);
  });
});
