import { cp, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { billOfMaterials, type Shipped } from './bill-of-materials.ts';
import { bundledPackages } from './bundled-package.ts';
import { bundle } from './bundle.ts';
import { licences } from './licences.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/**
 * The image decoder and its licences, by their names in `dist/`. Parts of it are under the LGPL, so it is a file of its own
 * that anyone can replace by another build.
 */
const DECODER = {
  'magick/magick.wasm': 'node_modules/@imagemagick/magick-wasm/dist/x86/magick.wasm',
  'magick/LICENSE': 'node_modules/@imagemagick/magick-wasm/LICENSE',
  'magick/NOTICE': 'node_modules/@imagemagick/magick-wasm/NOTICE',
};

/** What a build wrote. */
export interface Built {
  /** The deployable directory. */
  dir: string;
  files: number;
  bytes: number;
  milliseconds: number;
}

/**
 * Writes `dist/`, the whole deployment: the bundle, the image decoder, `host.json`, a `package.json` without dependencies, and what says
 * whose code is in it. What was there before is removed once the new bundle is known to be good.
 */
export async function build(): Promise<Built> {
  const started = performance.now();
  const dir = join(root, 'dist');
  const { files, metafile, legalComments } = await bundle(root, dir);
  const app = await readApp();
  const bundled = await bundledPackages(root, metafile);
  const papers = {
    'package.json': `${JSON.stringify({ ...app, type: 'module', main: 'index.js' }, null, 2)}\n`,
    'bom.cdx.json': await billOfMaterials(root, app, bundled),
    'THIRD-PARTY-LICENSES.txt': await licences(root, bundled.packages, legalComments),
  };

  await rm(dir, { recursive: true, force: true });
  await mkdir(dir);
  await Promise.all(files.map(({ path, text }) => writeFile(path, text)));
  await Promise.all(Object.entries(papers).map(([name, text]) => writeFile(join(dir, name), text)));
  await cp(join(root, 'host.json'), join(dir, 'host.json'));

  const decoder = await Promise.all(
    Object.entries(DECODER).map(async ([name, source]) => copy(source, join(dir, name))),
  );

  const bytes = files.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
  return {
    dir,
    files: files.length + Object.keys(papers).length + 1 + decoder.length,
    bytes: decoder.reduce((sum, size) => sum + size, bytes),
    milliseconds: performance.now() - started,
  };
}

/** Copies a file of the repository, and returns its bytes. */
async function copy(source: string, target: string): Promise<number> {
  await cp(join(root, source), target);
  return (await stat(target)).size;
}

async function readApp(): Promise<Shipped> {
  const { name, version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  return { name, version };
}

if (import.meta.main) {
  const { dir, files, bytes, milliseconds } = await build();
  const size = `${files} files, ${Math.round(bytes / 1024)} KB, ${Math.round(milliseconds)} ms`;
  process.stdout.write(`built ${relative(process.cwd(), dir)}/: ${size}\n`);
}
