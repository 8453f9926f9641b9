import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from './bundle.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** What a build wrote. */
export interface Built {
  /** The deployable directory. */
  dir: string;
  files: number;
  bytes: number;
  milliseconds: number;
}

/**
 * Writes `dist/`, the whole deployment: the bundle, `host.json`, and a `package.json` without dependencies.
 * What was there before is removed once the new bundle is known to be good.
 */
export async function build(): Promise<Built> {
  const started = performance.now();
  const dir = join(root, 'dist');
  const files = await bundle(root, dir);

  await rm(dir, { recursive: true, force: true });
  await mkdir(dir);
  await Promise.all(files.map(({ path, contents }) => writeFile(path, contents)));
  await cp(join(root, 'host.json'), join(dir, 'host.json'));
  await writeFile(join(dir, 'package.json'), await packageJson());

  const bytes = files.reduce((sum, { contents }) => sum + contents.length, 0);
  return { dir, files: files.length + 2, bytes, milliseconds: performance.now() - started };
}

async function packageJson(): Promise<string> {
  const { name, version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  return `${JSON.stringify({ name, version, type: 'module', main: 'index.js' }, null, 2)}\n`;
}

if (import.meta.main) {
  const { dir, files, bytes, milliseconds } = await build();
  const size = `${files} files, ${Math.round(bytes / 1024)} KB, ${Math.round(milliseconds)} ms`;
  process.stdout.write(`built ${relative(process.cwd(), dir)}/: ${size}\n`);
}
