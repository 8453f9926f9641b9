import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Answer, readAnswer, streamAnswer } from '../../src/vision/answer.ts';
import { chatChunks, chatCompletion } from '../../src/vision/chat-answer.ts';
import { usageOf } from '../../src/vision/completion.ts';
import { prepareSchema } from '../../src/vision/output-schema.ts';
import type { VisionRequest } from '../../src/vision/vision-request.ts';

const notACompletion = expect.objectContaining({ code: 'upstream_error' });
const request: VisionRequest = {
  question: { instructions: 'What?', detail: 'auto', maxTokens: 100 },
  images: [],
  schema: undefined,
  options: { systemPrompt: '', reasoningEffort: undefined },
  plainText: false,
};
const SERVICE_USAGE = { prompt_tokens: 10, completion_tokens: 20, total_tokens: 30 };
const USAGE = { inputTokens: 10, cachedInputTokens: 0, outputTokens: 20, reasoningTokens: 0, totalTokens: 30 };
const END = { model: 'm', choices: [{ delta: {}, finish_reason: 'stop' }] };

function word(content: string): object {
  return { model: 'm', choices: [{ delta: { content }, finish_reason: null }] };
}

async function* asStream(...chunks: readonly unknown[]): AsyncGenerator {
  yield* chunks;
}

/** Reads the same answer twice: as a whole, and as a stream. If it is an error, both must throw the same one. */
async function bothWays(message: object, choice: object, changes: Partial<VisionRequest> = {}): Promise<Answer[]> {
  const whole = { model: 'm', choices: [{ message, ...choice }], usage: SERVICE_USAGE };
  const stream = asStream(
    { model: 'm', choices: [{ delta: message }] },
    { model: 'm', choices: [{ delta: {}, ...choice }] },
    { model: 'm', choices: [], usage: SERVICE_USAGE },
  );
  const wanted = { ...request, ...changes };
  const [one, steps] = await Promise.allSettled([
    readAnswer({ completion: whole, upstreamRequestId: null }, wanted),
    Array.fromAsync(streamAnswer({ chunks: stream, upstreamRequestId: null }, wanted)),
  ]);
  if (one.status === 'rejected' || steps.status === 'rejected') {
    expect(steps).toMatchObject({ status: 'rejected', reason: expect.anything() });
    expect(one).toEqual(steps);
    throw one.status === 'rejected' ? one.reason : new Error('only the stream failed');
  }
  const last = steps.value.at(-1);
  if (!last || !('done' in last)) throw new Error('the stream ended without an answer');
  return [one.value, last.done];
}

describe('an invalid completion', () => {
  test.each([[], [[]], { choices: {} }, { choices: [[]] }, { choices: ['x'] }, null, 'text'].map((chunk) => [chunk]))(
    '%j is refused as a chunk of a stream',
    async (chunk) => {
      await expect(Array.fromAsync(chatChunks(asStream(chunk, END)))).rejects.toThrow(notACompletion);
      const steps = streamAnswer({ chunks: asStream(chunk, END), upstreamRequestId: null }, request);
      await expect(Array.fromAsync(steps)).rejects.toThrow(notACompletion);
    },
  );

  test.each([[], {}, { choices: [] }, { choices: {} }, { choices: null }, null, 'text'].map((whole) => [whole]))(
    '%j is refused as a whole answer',
    async (whole) => {
      expect(() => chatCompletion(whole)).toThrow(notACompletion);
      await expect(readAnswer({ completion: whole, upstreamRequestId: null }, request)).rejects.toThrow(notACompletion);
    },
  );
});

describe('empty chunks', () => {
  const nothing = fc.oneof(
    fc.constantFrom(
      {},
      { choices: null },
      { model: null, choices: null },
      { choices: [] },
      { choices: [null] },
      { choices: [{}] },
      { choices: [{ delta: null }] },
      { choices: [{ delta: {}, finish_reason: null }] },
      { choices: [{ delta: { content: null, refusal: null } }] },
      { id: '', model: '', prompt_filter_results: [] },
      { model: null, usage: null, choices: [{ index: 0, delta: null, finish_reason: null }] },
    ),
    fc.record(
      { choices: fc.constantFrom(null, []), model: fc.constantFrom(null, ''), usage: fc.constant(null) },
      { requiredKeys: [] },
    ),
  );

  test('change neither the text nor the answer, wherever they are in the stream', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(nothing), fc.array(nothing), fc.array(nothing), async (before, between, after) => {
        const chunks = [...before, word('Hello'), ...between, word(' there'), END, ...after].map((chunk) =>
          structuredClone(chunk),
        );
        const steps = await Array.fromAsync(
          streamAnswer({ chunks: asStream(...chunks), upstreamRequestId: null }, request),
        );
        expect(steps.map((step) => ('text' in step ? step.text : ''))).toEqual(['Hello', ' there', '']);
        expect(steps.at(-1)).toMatchObject({ done: { answer: 'Hello there', model: 'm', finishReason: 'stop' } });

        const passed = await Array.fromAsync(chatChunks(asStream(...chunks)));
        // Every client reads every chunk like this.
        const read = passed as { choices: { delta: { content?: string } }[] }[];
        expect(read.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe('Hello there');
      }),
    );
  });

  test('are passed on if they have a usage', async () => {
    const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };
    const passed = await Array.fromAsync(chatChunks(asStream(word('Hi'), END, { id: 'c', choices: null, usage })));
    expect(passed.at(-1)).toEqual({ id: 'c', choices: [], usage });
  });

  test('do not replace a finish reason: without one, the stream is an error', async () => {
    await expect(Array.fromAsync(chatChunks(asStream(word('Hi'), { choices: null })))).rejects.toThrow(notACompletion);
  });
});

test('accepts a completion that does not name its model', async () => {
  for (const model of [null, undefined]) {
    const completion = { model, choices: [{ message: { content: 'Hi' }, finish_reason: 'stop' }] };
    const answer = await readAnswer({ completion, upstreamRequestId: null }, request);
    expect(answer).toMatchObject({ answer: 'Hi', model: '' });
  }
});

test('joins text that comes in several parts', async () => {
  const content = [
    { type: 'text', text: 'Hello' },
    { type: 'text', text: ' there' },
  ];
  for (const answer of await bothWays({ content }, { finish_reason: 'stop' }))
    expect(answer.answer).toBe('Hello there');
});

describe('an answer without text is incomplete', () => {
  test.each([
    ['length', 'raise maxTokens'],
    ['tool_calls', 'called a tool'],
    ['stop', 'without a word'],
    ['function_call', 'without a word'],
  ])('finish reason %s: the problem says "%s"', async (finish_reason, advice) => {
    for (const message of [{ content: '' }, { content: null }, {}, { content: '', tool_calls: [{ id: 'x' }] }]) {
      for (const plainText of [true, false]) {
        await expect(bothWays(message, { finish_reason }, { plainText })).rejects.toMatchObject({
          code: 'answer_incomplete',
          status: 422,
          detail: expect.stringContaining(advice),
          members: { finishReason: finish_reason, answer: '', usage: USAGE },
        });
      }
    }
  });

  test('except a refusal, which is an answer', async () => {
    for (const answer of await bothWays({ content: null, refusal: 'I will not.' }, { finish_reason: 'stop' })) {
      expect(answer).toMatchObject({ answer: '', refusal: 'I will not.' });
    }
  });

  test('but some text before the tokens ran out is an answer', async () => {
    for (const answer of await bothWays({ content: 'A boat' }, { finish_reason: 'length' })) {
      expect(answer).toMatchObject({ answer: 'A boat', finishReason: 'length' });
    }
  });
});

describe('an answer that the content filter cut off', () => {
  const choice = {
    finish_reason: 'content_filter',
    content_filter_results: { violence: { filtered: true, severity: 'high' } },
  };
  const categories = [{ category: 'violence', severity: 'high', source: 'answer' }];

  test('is an error if the caller gets only text', async () => {
    await expect(bothWays({ content: 'The person is' }, choice, { plainText: true })).rejects.toMatchObject({
      code: 'content_filtered',
      detail: expect.stringContaining('application/json'),
      members: { categories, usage: USAGE },
    });
  });

  test('is returned with its finishReason otherwise', async () => {
    for (const answer of await bothWays({ content: 'The person is' }, choice)) {
      expect(answer).toMatchObject({ answer: 'The person is', finishReason: 'content_filter' });
    }
  });

  test.each([true, false])('is an error if no text is left (plain text: %s)', async (plainText) => {
    await expect(bothWays({ content: '' }, choice, { plainText })).rejects.toMatchObject({
      code: 'content_filtered',
      members: { categories, usage: USAGE },
    });
  });
});

describe('an answer that does not satisfy the schema', () => {
  const closed = {
    type: 'object',
    properties: { boats: { type: 'integer' } },
    required: ['boats'],
    additionalProperties: false,
  };

  test('is incomplete, and the problem says why', async () => {
    const schema = await prepareSchema(closed);
    for (const answer of await bothWays({ content: '{"boats": 2}' }, { finish_reason: 'stop' }, { schema })) {
      expect(answer.data).toEqual({ boats: 2 });
    }
    for (const content of ['{"boats": "two"}', '[2]', 'two', 'null', '{}']) {
      await expect(bothWays({ content }, { finish_reason: 'stop' }, { schema })).rejects.toMatchObject({
        code: 'answer_incomplete',
        detail: expect.stringContaining('does not satisfy the schema'),
        members: { answer: content, usage: USAGE },
      });
    }
    await expect(bothWays({ content: '{"boats": ' }, { finish_reason: 'length' }, { schema })).rejects.toMatchObject({
      detail: expect.stringContaining('raise maxTokens'),
    });
  });
});

describe('usage', () => {
  test('includes cached and reasoning tokens if the service reports them', () => {
    expect(usageOf({ usage: SERVICE_USAGE })).toEqual(USAGE);
    const prompt_tokens_details = { cached_tokens: 4, audio_tokens: 0 };
    const completion_tokens_details = { reasoning_tokens: 7, accepted_prediction_tokens: 0 };
    expect(usageOf({ usage: { ...SERVICE_USAGE, prompt_tokens_details, completion_tokens_details } })).toEqual({
      ...USAGE,
      cachedInputTokens: 4,
      reasoningTokens: 7,
    });
    for (const details of [null, {}, { cached_tokens: null, reasoning_tokens: null }]) {
      expect(
        usageOf({ usage: { ...SERVICE_USAGE, prompt_tokens_details: details, completion_tokens_details: details } }),
      ).toEqual(USAGE);
    }
  });

  test('adds up the total if it is missing', () => {
    expect(usageOf({ usage: { prompt_tokens: 11, completion_tokens: 2 } })?.totalTokens).toBe(13);
  });

  test('is undefined if it is missing, or if a count is not a finite number', () => {
    expect(usageOf({ usage: { ...SERVICE_USAGE, total_tokens: Infinity } })).toBeUndefined();
    expect(usageOf({ usage: { ...SERVICE_USAGE, total_tokens: '3' } })).toBeUndefined();
    expect(usageOf({ usage: null })).toBeUndefined();
  });
});
