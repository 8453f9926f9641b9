import type { BlobItem } from '@azure/storage-blob';
import { expect, test } from 'vitest';
import { encode, Tally } from '../../src/jobs/tally.ts';

const STARTED = '2026-11-27T01:00:00.000Z';
const LATER = new Date('2026-11-27T02:00:00.000Z');

function statusOf(...blobs: readonly (readonly [string, Record<string, string>])[]) {
  const tally = new Tally();
  for (const [name, metadata] of blobs)
    tally.add({ name: `jobs/ID/${name}`, metadata, properties: { lastModified: LATER } } as BlobItem);
  return tally.status('ID', STARTED);
}

const JOB = ['job.json', {}] as const;
const LAST_PAGE = ['pages/0000000', { count: '2', last: 'true' }] as const;
const result = (at: number, outcome: string) =>
  [`results/0000000-000${at}`, { outcome, input: '3', total: '5' }] as const;

test('a job is first listing, then running, then done', () => {
  expect(statusOf(JOB)).toMatchObject({ status: 'listing', found: 0, finishedAt: null });
  expect(statusOf(JOB, ['pages/0000000', { count: '200', last: 'false' }])).toMatchObject({
    status: 'listing',
    found: 200,
  });
  expect(statusOf(JOB, LAST_PAGE, result(0, 'answered'))).toMatchObject({ status: 'running', found: 2, answered: 1 });
  const done = statusOf(JOB, LAST_PAGE, result(0, 'answered'), result(1, 'failed'));
  expect(done).toMatchObject({ status: 'done', found: 2, answered: 1, failed: 1, finishedAt: LATER.toISOString() });
  expect(done.usage).toMatchObject({ inputTokens: 6, totalTokens: 10, outputTokens: 0 });
});

test('a job that is done has the problem of its last page only if no page has an image', () => {
  const problem = { code: 'blob_not_found' };
  const last = ['pages/0000001', { count: '0', last: 'true', problem: encode(problem) }] as const;
  expect(statusOf(JOB, ['pages/0000000', { count: '0', last: 'false' }], last)).toMatchObject({
    status: 'done',
    problem,
  });
  const done = statusOf(JOB, ['pages/0000000', { count: '1', last: 'false' }], last, result(0, 'answered'));
  expect(done.status).toBe('done');
  expect(done).not.toHaveProperty('problem');
});

test('finds at least as many images as there are results', () => {
  expect(statusOf(JOB, result(0, 'answered'), result(1, 'failed'))).toMatchObject({
    status: 'listing',
    found: 2,
    answered: 1,
    failed: 1,
  });
});

test('a cancelled or failed job has the time of its end, and a failed one its problem', () => {
  expect(statusOf(['job.json', { cancelled: STARTED }], LAST_PAGE)).toMatchObject({
    status: 'cancelled',
    finishedAt: STARTED,
  });
  const problem = { code: 'blob_not_found', detail: 'Größe' };
  expect(statusOf(['job.json', { failed: STARTED, problem: encode(problem) }])).toMatchObject({
    status: 'failed',
    problem,
  });
});
