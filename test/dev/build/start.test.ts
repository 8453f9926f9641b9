import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { type Bundle, bundle } from '../../../src/dev/build/bundle.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** Code that only some requests need. A cold start must not load it. */
const LAZY = [
  'node_modules/@modelcontextprotocol/',
  'node_modules/zod/',
  'node_modules/ajv/',
  'src/mcp/',
  'src/openapi/',
  'src/telemetry/recorder.ts',
];

let built: Bundle;
beforeAll(async () => {
  built = await bundle(ROOT, join(ROOT, 'dist'));
});

test.each(LAZY)('%s is in the bundle, but is not loaded at startup', (folder) => {
  expect(sourcesOf(Object.keys(built.metafile.outputs)).some((source) => source.startsWith(folder))).toBe(true);
  expect(sourcesOf(loadedAtStartup()).filter((source) => source.startsWith(folder))).toEqual([]);
});

test('startup loads the app, so the tests above look at the right files', () => {
  expect(sourcesOf(loadedAtStartup())).toEqual(
    expect.arrayContaining(['src/index.ts', 'src/routes/mcp.ts', 'src/http/problem.ts']),
  );
});

/** Returns the files that are loaded at startup: the entry point, and all that it imports statically. */
function loadedAtStartup(): string[] {
  const { outputs } = built.metafile;
  const entry = Object.keys(outputs).find((file) => outputs[file]?.entryPoint === 'src/index.ts') ?? '';
  const files = new Set([entry]);
  for (const file of files) {
    for (const { path, kind } of outputs[file]?.imports ?? []) if (kind === 'import-statement') files.add(path);
  }
  return [...files];
}

function sourcesOf(files: readonly string[]): string[] {
  return files.flatMap((file) => Object.keys(built.metafile.outputs[file]?.inputs ?? {}));
}
