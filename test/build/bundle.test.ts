import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Bundle, bundle } from '../../src/build/bundle.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'bundle-'));
  await mkdir(join(root, 'src/local'), { recursive: true });
  await writeFile(join(root, 'src/local/emulator.ts'), 'export const emulated = true;');
  await writeFile(join(root, 'src/lazy.ts'), `export const why = 'kept in a file of its own';`);
});
afterEach(() => rm(root, { recursive: true }));

async function bundleOf(index: string): Promise<Bundle> {
  await writeFile(join(root, 'src/index.ts'), index);
  return bundle(root, join(root, 'dist'));
}

test.each([`import './local/emulator.ts';`, `await import('./local/emulator.ts');`])('%s is refused', async (index) => {
  await expect(bundleOf(`${index} console.log(1);`)).rejects.toThrow('src/local/emulator.ts');
});

test('what the bundle has not is missed by the build, and not when it is used', async () => {
  const resources = join(root, 'node_modules/openai/resources');
  await mkdir(resources, { recursive: true });
  await writeFile(join(resources, 'images.mjs'), 'export class Images {} export const sizes = [];');
  await expect(bundleOf(`import * as it from '../node_modules/openai/resources/images.mjs'; console.log(it.sizes);`)).rejects.toThrow('"sizes"');
});

test('what is imported dynamically is a file of its own, and require works', async () => {
  const { files } = await bundleOf(`
    const { why } = await import('./lazy.ts');
    console.log(why, require('node:path').sep);`);
  await mkdir(join(root, 'dist'));
  await writeFile(join(root, 'dist/package.json'), '{"type":"module"}');
  await Promise.all(files.map(({ path, text }) => writeFile(path, text)));

  const index = join(root, 'dist/index.js');
  expect((await promisify(execFile)(process.execPath, [index])).stdout).toBe(`kept in a file of its own ${sep}\n`);
  expect(files.find(({ path }) => path === index)?.text).not.toContain('kept in a file of its own');
});
