import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';

const [readme, printed] = await Promise.all(['../../README.md', 'results/full.md'].map(async (path) => readFile(new URL(path, import.meta.url), 'utf8')));
const section = /\n## How fast\n([^]*?)\n## /.exec(readme ?? '')?.[1] ?? '';

/** The cells of a line of a table, without what makes them bold. */
function cellsOf(line: string): string[] {
  return line.split('|').slice(1, -1).map((cell) => cell.replaceAll('**', '').trim());
}

/** The lines of a table in a text, behind its heading. */
function table(text: string, isHead: (cells: readonly string[]) => boolean): string[][] {
  const lines = text.split('\n').map(cellsOf);
  const head = lines.findIndex(isHead);
  const end = lines.findIndex((cells, at) => at > head && cells.length === 0);
  return lines.slice(head + 2, end);
}

test('every figure of a load in the README is one that the benchmark printed', () => {
  const rows = table(section, ([, load]) => load === 'load');
  expect(rows.length).toBeGreaterThan(5);
  for (const [what = '', ...row] of rows) {
    const figures = (printed ?? '').split('### ').find((part) => part.startsWith(`${what}\n`));
    expect(table(figures ?? '', ([load]) => load === 'load'), what).toContainEqual(row);
  }
});

test('the README names every promise that was not kept, and no other', () => {
  const broken = table(printed ?? '', ([promise]) => promise === 'promise').filter(([, , verdict]) => verdict === 'FAIL');
  expect(table(section, ([promise]) => promise === 'promise')).toEqual(broken.map(([promise, measured]) => [promise, measured]));
});

test('the milliseconds of a start are those that were printed', () => {
  const [, registration, unbundled] = /Import to\s+registration took (\d+) ms, (\d+) for the unbundled form/.exec(section) ?? [];
  const [, later] = /half a second after the start had the first\s+answer\s+in (\d+) ms/.exec(section) ?? [];
  const starts = Object.fromEntries(table((printed ?? '').split('### Cold start')[1] ?? '', (cells) => cells[1] === 'import to registration').map(([form, ...ms]) => [form, ms]));
  expect([registration, unbundled, later]).toEqual([starts['this project']?.[0], starts['unbundled, all imported at the start']?.[0], starts['this project']?.[3]]);
});

test('the worst ratios and the minutes that the text speaks of are those that were printed', () => {
  const [, minutes] = /full run of (\d+)\.\d minutes/.exec(printed ?? '') ?? [];
  expect(section).toContain(`(${minutes} minutes;`);
  const worst = [...section.matchAll(/\d+\.\d+ at worst/g)].map(([figure]) => figure);
  expect(worst).not.toEqual([]);
  for (const figure of worst) expect(printed).toContain(figure);
  const [, answer] = /(\d\.\d\d) times an empty app's/.exec(section) ?? [];
  expect(printed).toContain(`${answer} in the median round`);
});
