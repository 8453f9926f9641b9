import { expect, test } from 'vitest';
import { type Question, questionParser } from '../../src/vision/question.ts';

const LIMITS = { maxInstructions: 10, maxOutputTokens: 100 };
const parse = questionParser(LIMITS, { beside: ['images'], addInstructions: 'add them to the letter' });
const parseQuestion = (...sources: readonly Record<string, unknown>[]): Question => parse(sources);

test('sets a default for every option except the instructions', () => {
  expect(parseQuestion({ instructions: 'What?' })).toEqual({ instructions: 'What?', detail: 'high', maxTokens: 100 });
});

test('reads maxTokens as a number or as text', () => {
  expect(parseQuestion({ instructions: 'What?', maxTokens: 7 }).maxTokens).toBe(7);
  const fields = { instructions: 'What?', detail: 'low', maxTokens: '7' };
  expect(parseQuestion(fields)).toEqual({ instructions: 'What?', detail: 'low', maxTokens: 7 });
});

test.each(['high', 'low', 'auto', 'original'])('accepts the detail %s', (detail) => {
  expect(parseQuestion({ instructions: 'What?', detail })).toMatchObject({ detail });
});

test.each([{}, { instructions: '' }, { instructions: ' \n' }])('throws missing_instructions for %j', (fields) => {
  expect(() => parseQuestion(fields)).toThrow(expect.objectContaining({ status: 400, code: 'missing_instructions' }));
});

test.each([
  [{ prompt: 'What?' }, [], ' You sent prompt, which is not a known field. Name it instructions.'],
  [{ 'instructions[]': 'What?' }, [], ' You sent instructions[], which is not a known field. Name it instructions.'],
  [{ image: 'x', Text: 'What?' }, [], ' You sent Text, which is not a known field. Name it instructions.'],
  [{ max_tokens: 5 }, ['code'], ' You sent max_tokens, which is not a known field. Name it maxTokens.'],
  [{ volume: 11 }, [], ' You sent volume, which is not a known field.'],
  [{}, ['code', 'instruction'], ' You sent instruction, which is not a known field. Name it instructions.'],
  [{}, ['code', 'instructions', 'What is this?', 'max_tokens'], ''],
  [{}, [`prompt${'_'.repeat(100)}`], ''],
])(
  'without instructions, names the field or the ignored name that may stand for them: %j %j',
  (fields, ignored, end) => {
    const detail = 'Say what you want to know: add them to the letter.';
    expect(() => parse([fields], ignored)).toThrow(
      expect.objectContaining({ code: 'missing_instructions', detail: detail + end }),
    );
  },
);

test('with instructions, does not look at ignored names', () => {
  expect(parse([{ instructions: 'What?' }], ['prompt'])).toMatchObject({ instructions: 'What?' });
});

test('lists every invalid option in one error', () => {
  const fields = { instructions: 'far too long', detail: 'middle', maxTokens: '0' };
  expect(() => parseQuestion(fields)).toThrow(
    expect.objectContaining({
      code: 'invalid_request',
      members: {
        errors: [
          { field: 'instructions', message: 'must have at most 10 characters' },
          { field: 'detail', message: 'must be high, low, auto or original' },
          { field: 'maxTokens', message: 'must be a whole number from 1 to 100' },
        ],
      },
    }),
  );
});

test.each(['x', '1.5', '-1', '101', '1e9', 'Infinity'])('refuses maxTokens=%s', (maxTokens) => {
  expect(() => parseQuestion({ instructions: 'What?', maxTokens })).toThrow(
    expect.objectContaining({ members: { errors: [expect.objectContaining({ field: 'maxTokens' })] } }),
  );
});

test.each([true, [5], {}])('refuses maxTokens of %j, which is not a number', (maxTokens) => {
  expect(() => parseQuestion({ instructions: 'What?', maxTokens })).toThrow(
    expect.objectContaining({ code: 'invalid_request' }),
  );
});

test.each([null, ''])('treats an option that is %j as absent', (nothing) => {
  const given = { instructions: 'What?', detail: nothing, maxTokens: nothing, schema: nothing, other: nothing };
  expect(parseQuestion(given)).toEqual({ instructions: 'What?', detail: 'high', maxTokens: 100 });
  expect(
    parseQuestion({ instructions: 'What?', detail: 'low' }, { instructions: nothing, detail: nothing }),
  ).toMatchObject({
    instructions: 'What?',
    detail: 'low',
  });
  expect(() => parseQuestion({ instructions: nothing })).toThrow(
    expect.objectContaining({ code: 'missing_instructions' }),
  );
});

test('if two sources have an option, the last one counts', () => {
  expect(parseQuestion({ instructions: 'a', detail: 'low' }, { instructions: 'b' })).toMatchObject({
    instructions: 'b',
    detail: 'low',
  });
});

test.each([
  ['\u{1F600}'.repeat(10), true],
  ['\u{1F600}'.repeat(11), false],
  ['x'.repeat(10), true],
  ['x'.repeat(11), false],
  ['e\u0301'.repeat(5), true],
  [`${'\u{1F600}'.repeat(9)}xx`, false],
])('counts characters as code points, as openapi.json does: %j', (instructions, fits) => {
  const parseIt = (): unknown => parseQuestion({ instructions });
  if (fits) expect(parseIt()).toMatchObject({ instructions });
  else
    expect(parseIt).toThrow(
      expect.objectContaining({ members: { errors: [expect.objectContaining({ field: 'instructions' })] } }),
    );
});

test.each([
  [`[${'1,'.repeat(60_000)}`, 'has more than 50000 members and items'],
  [`"${'x'.repeat(600_000)}`, 'has more than 524288 characters'],
])('refuses a schema that is too large before it is parsed: %#', (schema, message) => {
  expect(() => parseQuestion({ instructions: 'What?', schema })).toThrow(message);
});

test('without instructions, looks only at the first of very many unknown fields', () => {
  const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, at) => [`a${at}`, 1]));
  expect(() => parseQuestion({ ...many, prompt: 'What?' })).toThrow('You sent a0, which is not a known field.');
});

test('names an unknown field, and shortens a long name', () => {
  expect(() => parseQuestion({ instructions: 'What?', ['x'.repeat(1_000)]: 1 })).toThrow(
    expect.objectContaining({ members: { errors: [{ field: `${'x'.repeat(200)}…`, message: expect.any(String) }] } }),
  );
});

test.each([
  [{ volume: 11 }, 'volume', ''],
  [{ maxtokens: 5 }, 'maxtokens', ' Name it maxTokens.'],
  [{ max_completion_tokens: 5 }, 'max_completion_tokens', ' Name it maxTokens.'],
  [{ json_schema: {} }, 'json_schema', ' Name it schema.'],
  [{ prompt: 'Why?' }, 'prompt', ''],
  [{ max_tokens: 5, maxTokens: 5 }, 'max_tokens', ''],
])('refuses an unknown field, says how a missing one is written, and lists all: %j', (more, field, advice) => {
  const message = `is not a known field.${advice} Known fields: instructions, detail, maxTokens, schema, images`;
  expect(() => parseQuestion({ instructions: 'What?', ...more })).toThrow(
    expect.objectContaining({ members: { errors: [{ field, message }] } }),
  );
});
