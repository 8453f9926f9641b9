import * as fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type EmulatedAzure, startAzure } from '../../src/dev/emulator/azure.ts';
import type { Fault } from '../../src/dev/emulator/fault.ts';
import { askModel, type AskOptions, type Outcome } from './ask-model.ts';

let azure: EmulatedAzure;
beforeAll(async () => void (azure = await startAzure({ record: true })));
afterEach(() => azure.reset());
afterAll(() => azure.close());

async function ask(fault: Fault, options: AskOptions = {}): Promise<Outcome> {
  azure.model.fail(fault, Infinity);
  return askModel({ AZURE_OPENAI_ENDPOINT: azure.env['AZURE_OPENAI_ENDPOINT'] ?? '' }, options);
}

const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };
const message = { role: 'assistant', content: 'A boat.' };
const completion = {
  id: 'c',
  object: 'chat.completion',
  model: 'm',
  choices: [{ index: 0, message, finish_reason: 'stop' }],
  usage,
};
const chunk = (delta: unknown, finish_reason: string | null = null) => ({
  id: 'c',
  object: 'chat.completion.chunk',
  model: 'm',
  choices: [{ index: 0, delta, finish_reason }],
});
const events = (chunks: readonly object[]): string =>
  `${chunks.map((each) => `data: ${JSON.stringify(each)}\n\n`).join('')}data: [DONE]\n\n`;

describe('a whole answer to a request with streaming', () => {
  test.each(['application/json', 'application/json; charset=utf-8', 'application/problem+json'])(
    'of type %s is read as a stream of one chunk',
    async (type) => {
      const { answer } = await ask({ headers: { 'content-type': type }, body: completion }, { stream: true });
      expect(answer).toEqual([
        {
          ...completion,
          object: 'chat.completion.chunk',
          choices: [{ index: 0, delta: message, finish_reason: 'stop' }],
        },
      ]);
    },
  );

  test.each([
    { body: { error: { code: '429', message: 'x' } }, code: 'rate_limited' },
    { body: [], code: 'upstream_error' },
  ])('becomes $code before the first chunk if it is not a completion', async ({ body, code }) => {
    expect(await ask({ body }, { stream: true })).toMatchObject({ early: true, problem: { code } });
  });
});

describe('a stream as the answer to a request without streaming', () => {
  test.each(['text/event-stream', 'text/event-stream; charset=utf-8', 'text/plain'])(
    'of type %s is joined into one completion, with tool calls and usage',
    async (type) => {
      const call = (index: number, more: object) => ({ tool_calls: [{ index, ...more }] });
      const chunks = [
        { id: '', model: '', choices: [], prompt_filter_results: [] },
        chunk({ role: 'assistant', content: '', refusal: null }),
        chunk({ content: 'A ' }),
        chunk({ role: 'assistant', content: 'boat.' }),
        chunk(call(0, { id: 'one', type: 'function', function: { name: 'look', arguments: '{"at":' } })),
        chunk(call(1, { id: 'two', type: 'function', function: { name: 'see', arguments: '{}' } })),
        chunk(call(0, { function: { arguments: '"it"}' } })),
        chunk(null),
        chunk({}, 'tool_calls'),
        { id: 'c', model: 'm', choices: [], usage },
      ];
      const { answer } = await ask({ headers: { 'content-type': type }, body: `: hello\n\n${events(chunks)}` });
      expect(answer).toMatchObject({
        id: 'c',
        object: 'chat.completion',
        model: 'm',
        usage,
        choices: [
          {
            index: 0,
            finish_reason: 'tool_calls',
            message: {
              role: 'assistant',
              content: 'A boat.',
              tool_calls: [
                { id: 'one', function: { name: 'look', arguments: '{"at":"it"}' } },
                { id: 'two', function: { name: 'see', arguments: '{}' } },
              ],
            },
          },
        ],
      });
    },
  );

  test('gives the same text, however it is divided into chunks', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 8 }), async (pieces) => {
        azure.reset();
        const chunks = [...pieces.map((content) => chunk({ content })), chunk({}, 'stop')];
        const { answer } = await ask({ headers: { 'content-type': 'text/event-stream' }, body: events(chunks) });
        expect(answer).toMatchObject({ choices: [{ message: { content: pieces.join('') }, finish_reason: 'stop' }] });
      }),
      { numRuns: 25 },
    );
  });

  test('becomes rate_limited if it ends with a 429', async () => {
    const body = events([chunk({ content: 'A' }), { error: { code: '429', message: 'x' } }]);
    expect((await ask({ headers: { 'content-type': 'text/event-stream' }, body })).problem?.code).toBe('rate_limited');
  });
});

test('reads a completion with the Content-Type text/plain', async () => {
  const { answer } = await ask({ headers: { 'content-type': 'text/plain' }, body: JSON.stringify(completion) });
  expect(answer).toEqual(completion);
});

test.each([
  { headers: { 'content-type': 'text/html' }, body: '<html>Sign in</html>', named: '(text/html)' },
  { headers: { 'content-type': 'text/plain' }, body: 'Hello', named: '(text/plain)' },
  { headers: { 'content-type': 'application/json' }, body: '{"id":"c","cho', named: 'is not a chat completion' },
  { headers: { 'content-type': 'text/event-stream' }, body: 'data: [DONE]\n\n', named: '(text/event-stream)' },
])('a body that is not a completion becomes upstream_error: $body', async ({ headers, body, named }) => {
  for (const stream of [false, true]) {
    azure.reset();
    const { problem } = await ask({ headers, body }, { stream });
    expect(problem?.code).toBe('upstream_error');
    expect(problem?.detail).toContain(named);
  }
});
