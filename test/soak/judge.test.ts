import { expect, test } from 'vitest';
import { NO_ANSWER, type Outcome } from '../e2e/faults/outcome.ts';
import type { Call } from './callers.ts';
import { judge } from './judge.ts';

const call: Call = { kind: 'a question', allowed: ['answer'], marker: 'mine', make: async () => NO_ANSWER };
const outcome = (code: string, text = ''): Outcome => ({ ...NO_ANSWER, status: 200, code, text });

test('accepts the answer to the question, and every outcome of an injected fault', () => {
  expect(judge(call, outcome('answer', 'You asked: mine'), 100)).toEqual([]);
  expect(judge(call, outcome('upstream_timeout'), 5_100)).toEqual([]);
  expect(judge({ ...call, allowed: ['none'] }, NO_ANSWER, 100)).toEqual([]);
});

test('reports an answer that is lost, unexpected, late, or meant for another question', () => {
  expect(judge(call, NO_ANSWER, 100)).toEqual(['a question: 0 none after 100 ms: lost']);
  expect(judge(call, outcome('internal_error'), 100)).toEqual([
    'a question: 200 internal_error after 100 ms: an unexpected outcome',
  ]);
  expect(judge(call, outcome('answer', 'You asked: mine'), 10_001)).toEqual([
    'a question: 200 answer after 10001 ms: too late',
  ]);
  expect(judge(call, outcome('answer', 'You asked: yours'), 100)).toEqual([
    'a question: 200 answer after 100 ms: to another question',
  ]);
});
