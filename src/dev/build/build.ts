import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { billOfMaterials, type Shipped } from './bill-of-materials.ts';
import { bundledPackages } from './bundled-package.ts';
import { bundle } from './bundle.ts';
import { licences } from './licences.ts';
import { PACKAGES, queueExtension } from './queue-extension.ts';
import { replaceFolder } from './replace-folder.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/**
 * Sources of the image decoder and its licences, by name in `dist/`. Parts of the decoder are under the LGPL, so it is
 * a separate file, which anyone can replace by another build.
 */
const DECODER = {
  'magick/magick.wasm': 'node_modules/@imagemagick/magick-wasm/dist/x86/magick.wasm',
  'magick/LICENSE': 'node_modules/@imagemagick/magick-wasm/LICENSE',
  'magick/NOTICE': 'node_modules/@imagemagick/magick-wasm/NOTICE',
};

/** The result of a build. */
export interface Built {
  /** The deployable directory. */
  dir: string;
  files: number;
  bytes: number;
  milliseconds: number;
}

/**
 * Writes `dist/`, which is the whole deployment: the bundle, the image decoder, `host.json`, a `package.json` without
 * dependencies, a bill of materials and the licences. It replaces the previous build only after the new one has
 * succeeded.
 * @param withQueueExtension - whether to add the extension with which the Functions host takes messages of jobs; this
 * needs the .NET SDK and NuGet
 */
export async function build(withQueueExtension = false): Promise<Built> {
  const started = performance.now();
  const dir = join(root, 'dist');
  const staged = await mkdtemp(join(root, '.dist-'));
  try {
    const { files, bytes } = await write(staged, withQueueExtension);
    await replaceFolder(dir, staged);
    return { dir, files, bytes, milliseconds: performance.now() - started };
  } finally {
    await rm(staged, { recursive: true });
  }
}

async function write(dir: string, withQueueExtension: boolean): Promise<Pick<Built, 'files' | 'bytes'>> {
  const { files, metafile, legalComments } = await bundle(root, dir);
  const app = await readApp();
  const bundled = await bundledPackages(root, metafile);
  const licenceFiles = {
    'package.json': `${JSON.stringify({ ...app, type: 'module', main: 'index.js' }, null, 2)}\n`,
    'bom.cdx.json': await billOfMaterials(root, app, bundled, withQueueExtension ? PACKAGES : []),
    'THIRD-PARTY-LICENSES.txt': await licences(root, bundled.packages, legalComments),
  };
  await Promise.all(files.map(({ path, text }) => writeFile(path, text)));
  await Promise.all(Object.entries(licenceFiles).map(([name, text]) => writeFile(join(dir, name), text)));
  const others = { 'host.json': 'host.json', ...DECODER };
  await Promise.all(Object.entries(others).map(([name, source]) => cp(join(root, source), join(dir, name))));
  if (withQueueExtension) await queueExtension(join(dir, 'bin'));

  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const written = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(
    written.map(async ({ parentPath, name }) => (await stat(join(parentPath, name))).size),
  );
  return { files: written.length, bytes: sizes.reduce((sum, size) => sum + size, 0) };
}

async function readApp(): Promise<Shipped> {
  const { name, version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  return { name, version };
}

if (import.meta.main) {
  try {
    // azd sets VISION_JOBS from its own environment.
    const { dir, files, bytes, milliseconds } = await build(process.env['VISION_JOBS'] === 'true');
    const size = `${files} files, ${Math.round(bytes / 1024)} KB, ${Math.round(milliseconds)} ms`;
    process.stdout.write(`built ${relative(process.cwd(), dir)}/: ${size}\n`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
