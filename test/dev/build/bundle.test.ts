import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Bundle, bundle } from '../../../src/dev/build/bundle.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'bundle-'));
  await mkdir(join(root, 'src/dev'), { recursive: true });
  await writeFile(join(root, 'src/dev/emulator.ts'), 'export const emulated = true;');
  await writeFile(join(root, 'src/lazy.ts'), `export const why = 'from its own file';`);
});
afterEach(() => rm(root, { recursive: true }));

async function bundleOf(index: string): Promise<Bundle> {
  await writeFile(join(root, 'src/index.ts'), index);
  return bundle(root, join(root, 'dist'), { index: 'src/index.ts' });
}

const IMPORTS = [`import './dev/emulator.ts';`, `await import('./dev/emulator.ts');`];

test.each(IMPORTS)('rejects an import of src/dev: %s', async (index) => {
  await expect(bundleOf(`${index} console.log(1);`)).rejects.toThrow('src/dev/emulator.ts');
});

test('writes a dynamically imported module to its own file, and lets modules call require', async () => {
  const { files } = await bundleOf(`
    const { why } = await import('./lazy.ts');
    console.log(why, require('node:path').sep);`);
  await mkdir(join(root, 'dist'));
  await writeFile(join(root, 'dist/package.json'), '{"type":"module"}');
  await Promise.all(files.map(({ path, text }) => writeFile(path, text)));

  const index = join(root, 'dist/index.js');
  expect((await promisify(execFile)(process.execPath, [index])).stdout).toBe(`from its own file ${sep}\n`);
  expect(files.find(({ path }) => path === index)?.text).not.toContain('from its own file');
});
