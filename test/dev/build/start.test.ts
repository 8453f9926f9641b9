import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { type Bundle, bundle } from '../../../src/dev/build/bundle.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** What only some requests need. A cold start must not wait for it. */
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

test.each(LAZY)('%s is in the bundle, and is not loaded at the start', (folder) => {
  expect(sourcesOf(Object.keys(built.metafile.outputs)).some((source) => source.startsWith(folder))).toBe(true);
  expect(sourcesOf(atStart()).filter((source) => source.startsWith(folder))).toEqual([]);
});

test('what the start loads has the app in it, so the test above sees it', () => {
  expect(sourcesOf(atStart())).toEqual(
    expect.arrayContaining(['src/index.ts', 'src/routes/mcp.ts', 'src/http/problem.ts']),
  );
});

/** The files that are imported before the app is registered: the entry, and what it and they import statically. */
function atStart(): string[] {
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
