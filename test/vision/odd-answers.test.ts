import { expect, test } from 'vitest';
import { chatChunks, chatCompletion } from '../../src/vision/chat-answer.ts';
import { streamAnswer } from '../../src/vision/stream-answer.ts';
import { usageOf } from '../../src/vision/usage.ts';

const notACompletion = expect.objectContaining({ code: 'upstream_error' });

/** A stream of one chunk, and an end as it should be. */
async function* withEnd(chunk: unknown): AsyncGenerator {
  yield chunk;
  yield { model: 'm', choices: [{ delta: {}, finish_reason: 'stop' }] };
}

test.each([[], [[]], { choices: {} }, { choices: [[]] }, null, 'text'].map((chunk) => [JSON.stringify(chunk), chunk]))(
  '%s is no chunk of a stream',
  async (_, chunk) => {
    await expect(Array.fromAsync(chatChunks(withEnd(chunk)))).rejects.toThrow(notACompletion);
    await expect(
      Array.fromAsync(
        streamAnswer({ chunks: withEnd(chunk), upstreamRequestId: null }, { images: [], schema: undefined }),
      ),
    ).rejects.toThrow(notACompletion);
  },
);

test.each([[], { choices: [] }, { choices: {} }].map((completion) => [JSON.stringify(completion), completion]))(
  '%s is no completion',
  (_, completion) => {
    expect(() => chatCompletion(completion)).toThrow(notACompletion);
  },
);

test('a usage that is no number is none', () => {
  const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };
  expect(usageOf({ usage })).toEqual({ inputTokens: 1, outputTokens: 2, totalTokens: 3 });
  expect(usageOf({ usage: { ...usage, total_tokens: Infinity } })).toBeUndefined();
  expect(usageOf({ usage: { ...usage, total_tokens: '3' } })).toBeUndefined();
});
