import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { PROBLEMS } from '../../src/http/problem-catalogue.ts';
import { Problem } from '../../src/http/problem.ts';

const README = readFileSync(new URL('../../src/README.md', import.meta.url), 'utf8');

test('the table of errors in src/README.md lists the same problems as the catalogue', () => {
  const rows = Object.entries(PROBLEMS).map(([code, { status, when }]) => `| ${status} | \`${code}\` | ${when} |`);
  const table = ['| status | code | when |', '| --- | --- | --- |', ...rows].join('\n');
  expect(README, `src/README.md needs this table:\n${table}\n`).toContain(`\n${table}\n\n`);
});

test('a problem has the status and the title of its code', () => {
  expect(new Problem('rate_limited', 'Wait.')).toMatchObject({ status: 429, title: 'The model is busy' });
});
