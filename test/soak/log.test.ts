import { expect, test } from 'vitest';
import { logFaults } from './log.ts';

const line = (id: string): string => `processImage: {"requestId":"${id}","status":200,"ms":{"total":1}}\n`;

test('accepts one line for each answered request, and lines for requests that were not answered', () => {
  expect(logFaults(line('a') + line('b') + line('gone'), ['a', 'b'])).toEqual([]);
});

test('reports a missing line, a second line and an unexpected error', () => {
  expect(logFaults(line('twice') + line('twice'), ['never', 'twice'])).toEqual([
    'The log has 0 lines for request never.',
    'The log has 2 lines for request twice.',
  ]);
  expect(logFaults('{"code":"unhandled_rejection"}', [])).toEqual(['The log has an unexpected error.']);
  expect(logFaults('x failed unexpectedly: TypeError', [])).toEqual(['The log has an unexpected error.']);
});
