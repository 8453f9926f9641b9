import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Files with an import that src/README.md (Layout) forbids, and the imported module. */
const FORBIDDEN: readonly (readonly [file: string, imported: string])[] = [
  ['src/config/wrong.ts', '../http/any.ts'],
  ['src/http/wrong.ts', '../azure/any.ts'],
  ['src/http/wrong.ts', '../image/any.ts'],
  ['src/http/wrong.ts', '../functions/any.ts'],
  ['src/http/wrong.ts', '@azure/functions'],
  ['src/image/wrong.ts', '../azure/any.ts'],
  ['src/image/wrong.ts', '../vision/any.ts'],
  ['src/request/wrong.ts', '../azure/any.ts'],
  ['src/request/wrong.ts', '../vision/any.ts'],
  ['src/request/wrong.ts', '@azure/functions'],
  ['src/azure/wrong.ts', '../routes/any.ts'],
  ['src/azure/wrong.ts', '../image/any.ts'],
  ['src/azure/wrong.ts', '../functions/any.ts'],
  ['src/vision/wrong.ts', '../routes/any.ts'],
  ['src/routes/wrong.ts', '../functions/any.ts'],
  ['src/routes/wrong.ts', '../app.ts'],
  ['src/routes/wrong.ts', '../dev/host/any.ts'],
  ['src/routes/wrong.ts', '@azure/functions'],
  ['src/functions/wrong.ts', '../azure/any.ts'],
  ['src/server/wrong.ts', '../functions/any.ts'],
  ['src/server/wrong.ts', '../azure/any.ts'],
  ['src/server/wrong.ts', '../routes/any.ts'],
  ['src/server/wrong.ts', '@azure/functions'],
  ['src/functions/wrong.ts', '../vision/any.ts'],
  ['src/openapi/paths/wrong.ts', '../../azure/any.ts'],
  ['src/telemetry/wrong.ts', '../dev/host/any.ts'],
  ['src/mcp/wrong.ts', '../azure/any.ts'],
  ['src/mcp/wrong.ts', '../routes/any.ts'],
];
const ALLOWED: typeof FORBIDDEN = [
  ['src/functions/right.ts', '../http/any.ts'],
  ['src/functions/right.ts', '@azure/functions'],
  ['src/routes/right.ts', '../vision/any.ts'],
  ['src/server/right.ts', '../http/any.ts'],
  ['src/server/right.ts', '../routes/path.ts'],
  ['src/request/right.ts', '../azure/model.ts'],
  ['src/vision/right.ts', '../azure/any.ts'],
  ['src/azure/right.ts', '../http/any.ts'],
  ['src/mcp/right.ts', '../http/any.ts'],
  ['src/routes/right.ts', '../mcp/any.ts'],
  ['src/openapi/paths/right.ts', '../any.ts'],
  ['src/dev/host/right.ts', '../../azure/any.ts'],
];

interface Finding {
  readonly filename: string;
  readonly message: string;
}

let folder: string;
let findings: readonly Finding[];

/** Runs oxlint, with the repository's configuration, on a folder that has only these imports. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'imports-'));
  await copyFile(join(ROOT, '.oxlintrc.json'), join(folder, '.oxlintrc.json'));
  const byFile = Map.groupBy([...FORBIDDEN, ...ALLOWED], ([file]) => file);
  for (const [file, imports] of byFile) {
    const lines = imports.map(([, imported]) => `import type {} from '${imported}';\n`);
    await mkdir(join(folder, dirname(file)), { recursive: true });
    await writeFile(join(folder, file), lines.join(''));
  }
  const oxlint = join(ROOT, 'node_modules/oxlint/bin/oxlint');
  const run = promisify(execFile)(
    process.execPath,
    [oxlint, '-A', 'all', '-D', 'no-restricted-imports', '--format', 'json'],
    { cwd: folder },
  );
  const { stdout } = await run.catch((error: { stdout: string }) => error);
  findings = (JSON.parse(stdout) as { diagnostics: readonly Finding[] }).diagnostics;
});
afterAll(async () => rm(folder, { recursive: true, force: true }));

function isRejected([file, imported]: (typeof FORBIDDEN)[number]): boolean {
  return findings.some(({ filename, message }) => filename === file && message.includes(`'${imported}'`));
}

test.each(FORBIDDEN)('%s may not import %s, not even its types', (...row) => {
  expect(isRejected(row)).toBe(true);
});

test.each(ALLOWED)('%s may import %s', (...row) => {
  expect(isRejected(row)).toBe(false);
});
