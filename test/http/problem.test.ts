import { expect, test } from 'vitest';
import { Faults, invalidRequest } from '../../src/http/problem.ts';

test('describes only the faults that it lists, and counts the others', () => {
  const faults = new Faults();
  let described = 0;
  for (let at = 0; at < 12_345; at += 1) {
    faults.add(() => {
      described += 1;
      return { field: `a${at}`, message: 'is wrong' };
    });
  }
  const { detail, members } = faults.toProblem();
  expect(described).toBe(10);
  expect(members['errors']).toHaveLength(10);
  expect(detail).toMatch(/^a0 is wrong; a1 is wrong; .*; a9 is wrong; and 12,335 more faults\.$/);
});

test.each([
  [10, /a9 is wrong\.$/],
  [11, /a9 is wrong; and 1 more fault\.$/],
])('says how many of %i faults it does not list', (count, end) => {
  const errors = Array.from({ length: count }, (_, at) => ({ field: `a${at}`, message: 'is wrong' }));
  expect(invalidRequest(errors).detail).toMatch(end);
});

test('shortens the name of a field', () => {
  const { detail, members } = invalidRequest([{ field: 'x'.repeat(1_000_000), message: 'is wrong' }]);
  const field = `${'x'.repeat(200)}…`;
  expect(members).toEqual({ errors: [{ field, message: 'is wrong' }] });
  expect(detail).toBe(`${field} is wrong.`);
});
