import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const DIST = fileURLToPath(new URL('../../dist/', import.meta.url));
const FUNCTIONS_CODE = /node_modules\/@azure\/functions\/|\bsrc\/functions\//;

test('dist/server.js contains no code for the Functions host, and dist/index.js does', () => {
  expect(sourcesOf('server.js').filter((file) => FUNCTIONS_CODE.test(file))).toEqual([]);
  expect(sourcesOf('index.js').filter((file) => FUNCTIONS_CODE.test(file))).not.toEqual([]);
  expect(sourcesOf('server.js')).toContain('../src/azure/model.ts');
});

/** Returns the sources of a built file and of all files that it imports, also dynamically, from their source maps. */
function sourcesOf(file: string, seen = new Set<string>()): string[] {
  if (seen.has(file)) return [];
  seen.add(file);
  const { sources } = JSON.parse(readFileSync(`${DIST}${file}.map`, 'utf8')) as { sources: string[] };
  const imported = readFileSync(`${DIST}${file}`, 'utf8').matchAll(/"\.\/([\w.-]+\.js)"/g);
  return [...sources, ...[...imported].flatMap(([, name = '']) => sourcesOf(name, seen))];
}
