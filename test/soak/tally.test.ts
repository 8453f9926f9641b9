import { expect, test } from 'vitest';
import { NO_ANSWER } from '../e2e/faults/outcome.ts';
import { Tally } from './tally.ts';

test('counts requests by outcome, the most frequent one first', () => {
  const tally = new Tally();
  tally.count({ ...NO_ANSWER });
  for (const id of ['a', 'b'])
    tally.count({ ...NO_ANSWER, status: 200, code: 'answer', headers: new Headers({ 'x-request-id': id }) });
  expect(tally.report()).toBe(
    '3 requests by outcome:\n         2  200 answer\n         1  none\n\nNothing broke the contract.\n',
  );
  expect([...tally.answered]).toEqual(['a', 'b']);
  expect(tally.isClean).toBe(true);
});

test('one complaint makes a run unclean; the report counts all complaints and lists the first 20', () => {
  const tally = new Tally();
  tally.complain('complaint 1');
  expect(tally.isClean).toBe(false);
  expect(tally.report()).toContain('What broke the contract (1):\n  complaint 1\n');
  for (let at = 2; at <= 30; at += 1) tally.complain(`complaint ${at}`);
  expect(tally.report()).toContain('What broke the contract (30):');
  expect(tally.report()).toContain('complaint 20\n');
  expect(tally.report()).not.toContain('complaint 21\n');
});
