import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { filteredCategories } from '../../src/azure/content-filter.ts';

const RESULTS = ['content_filter_result', 'content_filter_results'];
const results = {
  hate: { filtered: false, severity: 'safe' },
  violence: { filtered: true, severity: 'high' },
  jailbreak: { filtered: true, detected: true },
  custom_blocklists: [{ id: 'mine', filtered: true }],
};
const categories = ['violence', 'jailbreak', 'custom_blocklists'];

test.each(
  RESULTS.flatMap((name) => [
    { [name]: results },
    ...['innererror', 'inner_error'].map((inner) => ({ [inner]: { code: 'x', [name]: results } })),
    { content_filters: [{ source_type: 'prompt', [name]: results }] },
  ]),
)('finds the verdicts by each name that APIs use for them: %j', (from) => {
  expect(filteredCategories(from, 'prompt').map(({ category }) => category)).toEqual(categories);
});

test.each([
  [{ filtered: true, details: [{ id: 'mine', filtered: true }] }, true],
  [{ details: [{ id: 'mine', filtered: true }] }, true],
  [
    [
      { id: 'other', filtered: false },
      { id: 'mine', filtered: true },
    ],
    true,
  ],
  [[{ id: 'other', filtered: false }], false],
  [[], false],
])('custom_blocklists %j count as one filtered category: %s', (custom_blocklists, isFiltered) => {
  expect(filteredCategories({ content_filter_results: { custom_blocklists } }, 'answer')).toEqual(
    isFiltered ? [{ category: 'custom_blocklists', severity: null, source: 'answer' }] : [],
  );
});

test('returns no category, and does not throw, for any JSON without a verdict', () => {
  const names = fc.constantFrom(...RESULTS, 'innererror', 'inner_error', 'content_filters', 'details', 'hate');
  const anything = fc.letrec((tie) => ({
    node: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(null, 'true', 1, false),
      fc.array(tie('node'), { maxLength: 3 }),
      fc.dictionary(names, tie('node'), { maxKeys: 3 }),
    ),
  })).node;
  fc.assert(fc.property(anything, (from) => filteredCategories(from, 'prompt').length === 0));
});
