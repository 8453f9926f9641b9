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
  // npm leaves out the packages of other platforms when it updates a lockfile beside an existing node_modules.
  test('holds the variants for every platform of every package', () => {
    const missing = missingOptional(lockfile);
    expect(missing, 'delete node_modules and package-lock.json, then run npm install').toEqual([]);
  });

  test('would be found incomplete without one of them', () => {
    const packages = { ...lockfile.packages };
    const variant = Object.keys(packages).find((path) => path.endsWith('@esbuild/win32-arm64')) ?? '';
    delete packages[variant];
    expect(missingOptional({ packages })).toEqual([variant.replace(/.*node_modules\//, '')]);
  });

  test('names no registry of the machine that wrote it', () => {
    const hosts = Object.values(lockfile.packages).flatMap(({ resolved }) =>
      resolved ? [new URL(resolved).host] : [],
    );
    expect(hosts.filter((host) => !/(^|\.)npmjs\.org$/.test(host))).toEqual([]);
  });
});

describe('npm ci', () => {
  test('accepts package.json and package-lock.json together', async () => {
    expect(await dryRun(await clone())).toMatch(/^added \d{3,} packages/m);
  });

  test('refuses a lockfile that lacks a package', async () => {
    const directory = await clone();
    const packages = { ...lockfile.packages };
    delete packages['node_modules/openai'];
    await writeFile(join(directory, 'package-lock.json'), JSON.stringify({ ...lockfile, packages }));
    await expect(dryRun(directory)).rejects.toThrow('npm ci');
  });
});

/** The optional dependencies, of whatever package, that the lockfile does not hold. */
function missingOptional({ packages }: Lockfile): string[] {
  return Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) => !ancestors(path).some((at) => packages[`${at}node_modules/${name}`]),
    ),
  );
}

/** The folders in whose node_modules Node looks for what a package requires, each with a slash at its end. */
function ancestors(path: string): string[] {
  const parts = path === '' ? [] : path.split('/node_modules/');
  return ['', ...parts.map((_, at) => `${parts.slice(0, at + 1).join('/node_modules/')}/`)];
}

async function clone(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'install-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  await Promise.all(
    ['package.json', 'package-lock.json'].map((name) => copyFile(join(ROOT, name), join(directory, name))),
  );
  return directory;
}

/** What `npm ci` would do. It compares the two files and needs no network for that. */
async function dryRun(directory: string): Promise<string> {
  const args = ['ci', '--dry-run', '--offline', '--ignore-scripts', '--no-audit'];
  const { stdout } = await promisify(execFile)('npm', args, { cwd: directory, shell: process.platform === 'win32' });
  return stdout;
}
