import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DOCUMENTS, readDocument, ROOT } from './documents.ts';

test('there are documents beside what they describe', () => {
  expect(DOCUMENTS).toEqual(expect.arrayContaining(['.github/SECURITY.md', 'README.md', 'src/image/README.md']));
});

describe.each(DOCUMENTS)('%s', (name) => {
  const text = readDocument(name);

  test('names npm scripts that exist', () => {
    const { scripts } = JSON.parse(readDocument('package.json')) as { scripts: Record<string, string> };
    const named = [...text.matchAll(/npm run ([\w:-]+)/g)].map(([, script]) => script ?? '');
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(named));
  });

  test('links to files and headings that exist', () => {
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)];
    for (const [link, path = '', heading] of links) {
      const target = path ? join(dirname(ROOT + name), path) : ROOT + name;
      expect(existsSync(target), link).toBe(true);
      if (heading) expect(headings(readFileSync(target, 'utf8')), link).toContain(heading);
    }
  });
});

// `npm run bench` writes its results itself.
const WRITTEN = DOCUMENTS.filter((name) => !name.startsWith('test/bench/results/'));

test.each(WRITTEN)('%s has lines of at most 120 characters, apart from tables, code and addresses', (name) => {
  const prose = readDocument(name)
    .replaceAll(/^```[^]*?^```|\(https:[^)]*\)/gm, '')
    .split('\n');
  expect(prose.filter((line) => !line.startsWith('|') && line.length > 120)).toEqual([]);
});

/** The headings of a document, as GitHub writes them in links. */
function headings(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, '')
      .replaceAll(' ', '-'),
  );
}
