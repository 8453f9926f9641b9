import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';

interface Lockfile {
  readonly packages: Record<string, { optionalDependencies?: Record<string, string>; resolved?: string }>;
}

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const lockfile: Lockfile = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8'));

describe('package-lock.json', () => {
  // If node_modules exists when npm updates the lockfile, npm omits the packages for other platforms.
  test('has every optional dependency of every package, so that npm ci works on every platform', () => {
    const missing = missingOptional(lockfile);
    expect(missing, 'delete node_modules and package-lock.json, then run npm install').toEqual([]);
  });

  test('fails the test above if a package for one platform is missing', () => {
    const packages = { ...lockfile.packages };
    const variant = Object.keys(packages).find((path) => path.endsWith('@esbuild/win32-arm64')) ?? '';
    delete packages[variant];
    expect(missingOptional({ packages })).toEqual([variant.replace(/.*node_modules\//, '')]);
  });

  test('downloads packages only from npmjs.org, not from a private registry', () => {
    const hosts = Object.values(lockfile.packages).flatMap(({ resolved }) =>
      resolved ? [new URL(resolved).host] : [],
    );
    expect(hosts.filter((host) => !/(^|\.)npmjs\.org$/.test(host))).toEqual([]);
  });
});

describe('npm ci', () => {
  test('accepts this package.json with this package-lock.json', async () => {
    expect(await dryRun(await copyPackageFiles())).toMatch(/^added \d{3,} packages/m);
  });

  test('rejects a lockfile that lacks a package', async () => {
    const directory = await copyPackageFiles();
    const packages = { ...lockfile.packages };
    delete packages['node_modules/openai'];
    await writeFile(join(directory, 'package-lock.json'), JSON.stringify({ ...lockfile, packages }));
    await expect(dryRun(directory)).rejects.toThrow('npm ci');
  });
});

/** Returns the optional dependencies of all packages that the lockfile lacks. */
function missingOptional({ packages }: Lockfile): string[] {
  return Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) => !ancestors(path).some((at) => packages[`${at}node_modules/${name}`]),
    ),
  );
}

/** Returns the folders in whose node_modules Node looks for a package's dependencies, each with a slash at the end. */
function ancestors(path: string): string[] {
  const parts = path === '' ? [] : path.split('/node_modules/');
  return ['', ...parts.map((_, at) => `${parts.slice(0, at + 1).join('/node_modules/')}/`)];
}

/** Returns a new folder with copies of package.json and package-lock.json. The test deletes it at its end. */
async function copyPackageFiles(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'install-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  await Promise.all(
    ['package.json', 'package-lock.json'].map((name) => copyFile(join(ROOT, name), join(directory, name))),
  );
  return directory;
}

/** Returns what `npm ci` would do. It only compares the two files, which needs no network. */
async function dryRun(directory: string): Promise<string> {
  const args = ['ci', '--dry-run', '--offline', '--ignore-scripts', '--no-audit'];
  const { stdout } = await promisify(execFile)('npm', args, { cwd: directory, shell: process.platform === 'win32' });
  return stdout;
}
