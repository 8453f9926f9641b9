import { copyFile, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openAnswers } from '../../../src/dev/ask/answer-file.ts';
import type { Answer } from '../../../src/dev/ask/ask-image.ts';
import { FULL } from '../../tier.ts';

const SCHEMA = { type: 'object', properties: { colour: {}, count: {}, tags: {} } };

/** Answers with text that could break an answer file or a spreadsheet. */
const ANSWERS: readonly (readonly [file: string, answer: string, data: Record<string, unknown>])[] = [
  ['a.jpg', 'A sailboat, "Seagull".\r\nAt sea.\n', { colour: 'rot, blau', count: -3, tags: ['a', 'b'] }],
  ['sub/=b.jpg', '=HYPERLINK("http://example.com","x")', { colour: '+1', count: 0.5, tags: [] }],
  ['-c, d".jpg', 'Ein Segelboot – 帆船 ⛵', { colour: '@SUM(A1)', count: null, tags: { x: '"\r\n' } }],
];

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'answers-'))));
afterAll(() => rm(folder, { recursive: true }));

function answer(text: string, data: Record<string, unknown>): Answer {
  const usage = { inputTokens: 10, outputTokens: 2, totalTokens: 12 };
  return { answer: text, data, refusal: null, finishReason: 'stop', model: 'gpt', usage };
}

/** Adds the answers that a file lacks, and returns the names of their images. */
async function addMissing(file: string, schema?: object): Promise<string[]> {
  const answers = await openAnswers(file, schema && { ...schema });
  const missing = ANSWERS.filter(([name]) => !answers.has(name));
  for (const [name, text, data] of missing) await answers.add(name, answer(text, data));
  await answers.close();
  return missing.map(([name]) => name);
}

test.each([
  ['whole.ndjson', undefined],
  ['whole.csv', undefined],
  ['members.csv', SCHEMA],
])('completes %s, wherever it was cut off', async (name, schema) => {
  const whole = join(folder, name);
  expect(await addMissing(whole, schema)).toHaveLength(ANSWERS.length);
  expect(await addMissing(whole, schema)).toEqual([]);
  const bytes = await readFile(whole);

  const cut = join(folder, `cut-${name}`);
  for (let length = 0; length < bytes.length; length += FULL ? 1 : 5) {
    await copyFile(whole, cut);
    await truncate(cut, length);
    const missing = await addMissing(cut, schema);
    expect((await readFile(cut)).equals(bytes), `cut after ${length} bytes, missing ${missing.join()}`).toBe(true);
    expect(missing.length).toBeGreaterThan(0);
  }
});

test('writes one object per line of NDJSON', async () => {
  const file = join(folder, 'lines.ndjson');
  await addMissing(file);
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toEqual(
    ANSWERS.map(([name, text, data]) => ({ file: name, ...answer(text, data) })),
  );
});

test('writes CSV with a byte order mark, in which no cell is a formula', async () => {
  const file = join(folder, 'sheet.csv');
  await addMissing(file);
  const text = await readFile(file, 'utf8');
  expect(text.startsWith('\uFEFFfile,answer,')).toBe(true);
  const rows: string[][] = parse(text, { bom: true, record_delimiter: '\r\n', from_line: 2 });
  expect(rows.map(([name, cell]) => [name, cell])).toEqual([
    ['a.jpg', ANSWERS[0]?.[1]],
    ['sub/=b.jpg', `'${ANSWERS[1]?.[1]}`],
    ['./-c, d".jpg', ANSWERS[2]?.[1]],
  ]);
  expect(rows.flat().filter((cell) => /^[=+@\t\r]|^-(?!\d)/.test(cell))).toEqual([]);
});

test('writes a CSV column for each member of a schema, and negative numbers without an apostrophe', async () => {
  const file = join(folder, 'columns.csv');
  await addMissing(file, SCHEMA);
  const [head, first, second] = parse(await readFile(file, 'utf8'), { bom: true, record_delimiter: '\r\n' });
  expect(head).toEqual([
    'file',
    'colour',
    'count',
    'tags',
    'refusal',
    'finishReason',
    'model',
    'inputTokens',
    'outputTokens',
  ]);
  expect(first).toEqual(['a.jpg', 'rot, blau', '-3', '["a","b"]', '', 'stop', 'gpt', '10', '2']);
  expect(second?.slice(1, 3)).toEqual(["'+1", '0.5']);
});

test.each([
  ['other.ndjson', '{"name":"not ours"}\n'],
  ['one-line.ndjson', '{"name":"not ours"}'],
  ['text.ndjson', 'Dear diary\n'],
  ['other.csv', 'name,price\r\nbread,3\r\n'],
  ['columns.csv', '\uFEFFfile,answer,price\r\na.jpg,yes,3\r\n'],
  ['empty-line.csv', '\r\n'],
])('rejects %s, which has other content, and leaves it unchanged', async (name, content) => {
  const file = join(folder, `foreign-${name}`);
  await writeFile(file, content);
  await expect(openAnswers(file, undefined)).rejects.toThrow('--out FILE');
  expect(await readFile(file, 'utf8')).toBe(content);
});
