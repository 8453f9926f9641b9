import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { build as esbuild } from 'esbuild';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { billOfMaterials } from '../../../src/dev/build/bill-of-materials.ts';
import { bundledPackages } from '../../../src/dev/build/bundled-package.ts';
import { bundle } from '../../../src/dev/build/bundle.ts';
import { licences } from '../../../src/dev/build/licences.ts';
import { playground } from '../../../src/dev/build/playground.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const SCHEMAS = `${ROOT}node_modules/@cyclonedx/cyclonedx-library/res/schema/`;

interface Bill {
  readonly components: readonly {
    'bom-ref': string;
    group?: string;
    name: string;
    version: string;
    licenses: unknown[];
  }[];
  readonly dependencies: readonly { ref: string; dependsOn: readonly string[] }[];
}

let bill: Bill;
beforeAll(async () => {
  bill = await json(`${ROOT}dist/bom.cdx.json`);
});

describe('the bill of materials in dist/', () => {
  test('satisfies the schema of CycloneDX 1.6', async () => {
    const ajv = new Ajv({ strict: false, validateFormats: false });
    for (const name of ['spdx', 'jsf-0.82', 'cryptography-defs']) {
      const file = `${name}.SNAPSHOT.schema.json`;
      ajv.addSchema(await json(SCHEMAS + file), `http://cyclonedx.org/schema/${file}`);
    }
    const valid = ajv.compile(await json(`${SCHEMAS}bom-1.6.SNAPSHOT.schema.json`));
    expect(valid(bill), JSON.stringify(valid.errors)).toBe(true);
  });

  test('lists exactly the packages that have code in the bundle, with their installed versions', async () => {
    const inBundle = await packagesByComment();
    expect(inBundle.size).toBeGreaterThan(20);
    const expected = await Promise.all(
      [...inBundle].map(async (directory) => {
        const { name, version } = await json<{ name: string; version: string }>(`${ROOT}${directory}/package.json`);
        return `${directory} ${name}@${version}`;
      }),
    );
    const listed = bill.components.map(
      ({ 'bom-ref': ref, group, name, version }) => `${ref} ${group ? `${group}/` : ''}${name}@${version}`,
    );
    expect(listed).toEqual(expected.toSorted());
  });

  test('connects the app to each package by a chain of dependencies', () => {
    const uses = new Map(bill.dependencies.map(({ ref, dependsOn }) => [ref, dependsOn]));
    const reached = new Set<string>();
    const visit = (ref: string): void => {
      if (reached.has(ref)) return;
      reached.add(ref);
      uses.get(ref)?.forEach(visit);
    };
    visit('keyless-vision');
    expect([...reached].toSorted()).toEqual(
      ['keyless-vision', ...bill.components.map((each) => each['bom-ref'])].toSorted(),
    );
  });
});

test('THIRD-PARTY-LICENSES.txt in dist/ has the complete licence of every package in the bill', async () => {
  const text = await readFile(`${ROOT}dist/THIRD-PARTY-LICENSES.txt`, 'utf8');
  for (const { 'bom-ref': directory } of bill.components) {
    const files = (await readdir(`${ROOT}${directory}`)).filter((file) => /licen[cs]e|notice|copying/i.test(file));
    const paths = files.map((file) => `${directory}/${file}`);
    // This package is published without its licence.
    if (directory === 'node_modules/@nodable/entities')
      paths.push('src/dev/build/missing-licences/nodable-entities.txt');
    expect(paths.length, directory).toBeGreaterThan(0);
    for (const path of paths) {
      const complete = (await readFile(`${ROOT}${path}`, 'utf8')).replaceAll('\r\n', '\n').trim();
      expect(text.includes(complete), path).toBe(true);
    }
  }
  expect(text, 'licences of code that packages copied from elsewhere').toContain('Bundled license information');
  expect(await readdir(`${ROOT}dist`)).not.toContain('index.js.LEGAL.txt');
});

describe('the build fails for', () => {
  test('a package without the text of its license', async () => {
    const root = await project({});
    const { metafile } = await bundle(root, join(root, 'dist'), { index: 'src/index.ts' });
    const { packages } = await bundledPackages(root, metafile);
    await expect(licences(root, packages, [])).rejects.toThrow('thing comes without the text of its license');
  });

  test('a package at another version than the lockfile has', async () => {
    const root = await project({ LICENSE: 'Do as you please.' });
    const { metafile } = await bundle(root, join(root, 'dist'), { index: 'src/index.ts' });
    const bundled = await bundledPackages(root, metafile);
    await expect(billOfMaterials(root, { name: 'app', version: '1.0.0' }, bundled)).rejects.toThrow(
      'thing 1.0.0 is not what package-lock.json has',
    );
    expect(await licences(root, bundled.packages, [])).toContain('Do as you please.');
  });
});

/**
 * Finds the packages of the bundle without the code under test: in output that is not minified, esbuild writes
 * `// node_modules/…` above the code of each file.
 */
async function packagesByComment(): Promise<Set<string>> {
  const { outputFiles } = await esbuild({
    absWorkingDir: ROOT,
    entryPoints: [
      'src/index.ts',
      'src/server.ts',
      'src/vision/schema-worker.ts',
      'src/image/decoder-worker.ts',
      'src/playground/page.ts',
    ],
    outdir: 'dist',
    write: false,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    plugins: [playground(ROOT, () => undefined)],
    external: ['@azure/functions-core'],
    minifySyntax: true,
    logLevel: 'error',
  });
  const marks = outputFiles.flatMap(({ text }) =>
    [...text.matchAll(/^\/\/ (node_modules\/.*)$/gm)].map(([, file]) => file ?? ''),
  );
  return new Set(marks.map((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? file));
}

/** Creates a project with one package, which is installed at 1.0.0 and locked at 2.0.0. */
async function project(files: Record<string, string>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'supply-chain-'));
  onTestFinished(() => rm(root, { recursive: true }));
  const thing = join(root, 'node_modules/thing');
  for (const [name, text] of Object.entries({
    'package.json': JSON.stringify({ name: 'thing', version: '1.0.0', license: 'MIT' }),
    'index.js': 'console.log(1);',
    ...files,
  })) {
    await mkdir(join(thing, name, '..'), { recursive: true });
    await writeFile(join(thing, name), text);
  }
  await mkdir(join(root, 'src'));
  await writeFile(join(root, 'src/index.ts'), `import 'thing';`);
  await writeFile(
    join(root, 'package-lock.json'),
    JSON.stringify({ packages: { 'node_modules/thing': { version: '2.0.0', integrity: `sha512-${btoa('x')}` } } }),
  );
  return root;
}

async function json<T extends object>(file: string): Promise<T> {
  return JSON.parse(await readFile(file, 'utf8')) as T;
}
