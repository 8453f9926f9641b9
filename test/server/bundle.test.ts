import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const DIST = fileURLToPath(new URL('../../dist/', import.meta.url));
const OF_FUNCTIONS = /node_modules\/@azure\/functions\/|\bsrc\/functions\//;

test("the server holds nothing of the Functions programming model, and the app's entry for the Functions host does", () => {
  expect(sourcesOf('server.js').filter((file) => OF_FUNCTIONS.test(file))).toEqual([]);
  expect(sourcesOf('index.js').filter((file) => OF_FUNCTIONS.test(file))).not.toEqual([]);
  expect(sourcesOf('server.js')).toContain('../src/azure/model.ts');
});

/** The sources in a file of the build and in all that it imports, at once or later, as its source maps name them. */
function sourcesOf(file: string, seen = new Set<string>()): string[] {
  if (seen.has(file)) return [];
  seen.add(file);
  const { sources } = JSON.parse(readFileSync(`${DIST}${file}.map`, 'utf8')) as { sources: string[] };
  const imported = readFileSync(`${DIST}${file}`, 'utf8').matchAll(/"\.\/([\w.-]+\.js)"/g);
  return [...sources, ...[...imported].flatMap(([, name = '']) => sourcesOf(name, seen))];
}
