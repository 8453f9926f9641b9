import { expect, test } from 'vitest';
import { questionFields, questionParser } from '../../src/vision/question.ts';

const parseQuestion = questionParser({ maxInstructions: 10, maxOutputTokens: 100 });

test('has defaults for all but the instructions', () => {
  expect(parseQuestion({ instructions: 'What?' })).toEqual({ instructions: 'What?', detail: 'auto', maxTokens: 100 });
});

test('takes its options, as text or as what they are', () => {
  expect(parseQuestion({ instructions: 'What?', maxTokens: 7 }).maxTokens).toBe(7);
  const fields = { instructions: 'What?', detail: 'low', maxTokens: '7' };
  expect(parseQuestion(fields)).toEqual({ instructions: 'What?', detail: 'low', maxTokens: 7 });
});

test.each([{}, { instructions: '' }, { instructions: ' \n' }])('%j has no instructions', (fields) => {
  expect(() => parseQuestion(fields)).toThrow(expect.objectContaining({ status: 400, code: 'missing_instructions' }));
});

test('tells all faults at once', () => {
  const fields = { instructions: 'far too long', detail: 'middle', maxTokens: '0' };
  expect(() => parseQuestion(fields)).toThrow(
    expect.objectContaining({
      code: 'invalid_request',
      members: {
        errors: [
          { field: 'instructions', message: 'must have at most 10 characters' },
          { field: 'detail', message: 'must be auto, low or high' },
          { field: 'maxTokens', message: 'must be a whole number from 1 to 100' },
        ],
      },
    }),
  );
});

test.each(['', 'x', '1.5', '-1', '101', '1e9', 'Infinity'])('maxTokens=%s is refused', (maxTokens) => {
  expect(() => parseQuestion({ instructions: 'What?', maxTokens })).toThrow(
    expect.objectContaining({ members: { errors: [expect.objectContaining({ field: 'maxTokens' })] } }),
  );
});

test.each([true, null, [5], {}])('maxTokens of %j is no number', (maxTokens) => {
  expect(() => parseQuestion({ instructions: 'What?', maxTokens })).toThrow(
    expect.objectContaining({ code: 'invalid_request' }),
  );
});

test('a field that is not known is told, for it may be a slip of the pen', () => {
  expect(() => parseQuestion({ instructions: 'What?', maxtokens: 5 })).toThrow(
    expect.objectContaining({
      members: { errors: [{ field: 'maxtokens', message: 'is not a field that is known here' }] },
    }),
  );
});

test('a query gives what is ours of it', () => {
  expect(questionFields(new URLSearchParams('code=a-function-key&instructions=What%3F&schema=x'))).toEqual({
    instructions: 'What?',
  });
});
