import { expect, test } from 'vitest';
import { misloggedIn } from './log.ts';

const line = (id: string): string => `processImage: {"requestId":"${id}","status":200,"ms":{"total":1}}\n`;

test('a line for each request that was answered, and for some that were not, is as it should be', () => {
  expect(misloggedIn(line('a') + line('b') + line('gone'), ['a', 'b'])).toEqual([]);
});

test('no line, two lines, and a surprise break the contract', () => {
  expect(misloggedIn(line('twice') + line('twice'), ['never', 'twice'])).toEqual([
    'The log has 0 lines for request never.',
    'The log has 2 lines for request twice.',
  ]);
  expect(misloggedIn('{"code":"unhandled_rejection"}', [])).toEqual(['The log tells of something unexpected.']);
  expect(misloggedIn('x failed unexpectedly: TypeError', [])).toEqual(['The log tells of something unexpected.']);
});
