import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DOCUMENTS, readDocument, ROOT } from './documents.ts';

test('DOCUMENTS has the files of .github, of the root and of src', () => {
  expect(DOCUMENTS).toEqual(expect.arrayContaining(['.github/SECURITY.md', 'README.md', 'src/image/README.md']));
});

describe.each(DOCUMENTS)('%s', (name) => {
  const text = readDocument(name);

  test('names only npm scripts that exist', () => {
    const { scripts } = JSON.parse(readDocument('package.json')) as { scripts: Record<string, string> };
    const named = [...text.matchAll(/npm run ([\w:-]+)/g)].map(([, script]) => script ?? '');
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(named));
  });

  test('links only to files and headings that exist', () => {
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)];
    for (const [link, path = '', heading] of links) {
      const target = path ? join(dirname(ROOT + name), path) : ROOT + name;
      expect(existsSync(target), link).toBe(true);
      if (heading) expect(headings(readFileSync(target, 'utf8')), link).toContain(heading);
    }
  });
});

// `npm run bench` generates the documents in test/bench/results.
const HAND_WRITTEN = DOCUMENTS.filter((name) => !name.startsWith('test/bench/results/'));

test.each(HAND_WRITTEN)('%s has lines of at most 120 characters, except tables, code blocks and URLs', (name) => {
  const prose = readDocument(name)
    .replaceAll(/^```[^]*?^```|\(https:[^)]*\)/gm, '')
    .split('\n');
  expect(prose.filter((line) => !line.startsWith('|') && line.length > 120)).toEqual([]);
});

/** Returns the anchors that GitHub makes from the headings of a document. */
function headings(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, '')
      .replaceAll(' ', '-'),
  );
}
