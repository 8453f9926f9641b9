import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { unzipSync, type Zippable, zipSync } from 'fflate';
import { expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import * as v from 'valibot';
import { startAzure } from '../../src/dev/emulator/azure.ts';
import { startApp } from '../e2e/app.ts';
import { ask } from '../e2e/ask.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const AzureYaml = v.object({
  requiredVersions: v.object({ azd: v.string() }),
  services: v.record(
    v.string(),
    v.object({ project: v.string(), dist: v.string(), remoteBuild: v.boolean(), condition: v.optional(v.string()) }),
  ),
  hooks: v.record(
    v.string(),
    v.object({ posix: v.object({ run: v.string() }), windows: v.object({ run: v.string() }) }),
  ),
});
const azure = v.parse(AzureYaml, parse(readFileSync(join(ROOT, 'azure.yaml'), 'utf8')));
/** Root ignores the permissions of files. This command takes that right away from the app. */
const WITHOUT_ROOT_RIGHTS = process.getuid?.() === 0 ? ['setpriv', '--bounding-set', '-dac_override'] : [];

test('the package runs in a read-only folder, with a read-only temporary folder and without node_modules', async () => {
  const [folder, temporary] = [emptyFolder(), emptyFolder()];
  unzip(zip(join(ROOT, azure.services['api']?.dist ?? '')), folder);
  expect(ancestors(folder).filter((each) => existsSync(join(each, 'node_modules')))).toEqual([]);
  const unpacked = filesIn(folder);
  setPermissions(folder, 0o555, 0o444);
  setPermissions(temporary, 0o555, 0o444);

  const emulated = await startAzure();
  const variables = { ...emulated.env, TMPDIR: temporary, TEMP: temporary, TMP: temporary };
  const app = await startApp(variables, folder, WITHOUT_ROOT_RIGHTS);
  onTestFinished(async () => {
    await app.stop();
    emulated.close();
  });
  const answer = await ask(app.url, readFileSync(join(ROOT, 'test/images/sailboat.jpg')));
  expect(answer.text).toContain('A JPEG image of 960 x 640 pixels');
  expect(answer.status).toBe(200);
  expect([filesIn(folder), filesIn(temporary)]).toEqual([unpacked, []]);
});

test('the package has the files that the host needs, but no node_modules, settings or TypeScript', () => {
  const files = zip(join(ROOT, 'dist'));
  const names = Object.keys(files);
  const Package = v.object({ main: v.string(), dependencies: v.optional(v.unknown()) });
  const { main, dependencies } = v.parse(Package, JSON.parse(Buffer.from(files['package.json'] ?? []).toString()));
  expect(names).toEqual(expect.arrayContaining(['host.json', main]));
  expect(dependencies).toBeUndefined();
  expect(names.filter((name) => /node_modules|local\.settings|\.env|\.ts$/.test(name))).toEqual([]);
});

test('azd deploys the same package to the jobs app, but only if VISION_JOBS is set', () => {
  const { api, jobs } = azure.services;
  expect(Object.keys(azure.services)).toEqual(['api', 'jobs']);
  expect(jobs).toEqual({ ...api, condition: '${VISION_JOBS}' });
});

test('azd deploys dist/ without a remote build', () => {
  expect(azure.services['api']).toMatchObject({ dist: 'dist', remoteBuild: false });
  expect(azure.requiredVersions.azd).toBe('>= 1.24.1');
  // azd rejects remoteBuild: false if .funcignore excludes node_modules. Without .funcignore, azd excludes them itself.
  expect(existsSync(join(ROOT, '.funcignore'))).toBe(false);
});

test('the hooks run the same npm scripts in both shells, and preprovision installs their packages', () => {
  const { scripts } = v.parse(
    v.object({ scripts: v.record(v.string(), v.string()) }),
    JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')),
  );
  for (const { posix, windows } of Object.values(azure.hooks)) {
    expect(windows.run).toBe(`${posix.run}; exit $LASTEXITCODE`);
  }
  expect(Object.keys(azure.hooks)).toEqual(['preprovision', 'postprovision', 'postdeploy']);
  expect(azure.hooks['preprovision']?.posix.run).toMatch(/^npm install /);
  const named = Object.values(azure.hooks).flatMap(({ posix }) => /npm run --silent (\S+)/.exec(posix.run)?.[1] ?? []);
  expect(named).toEqual(['hook:provisioned', 'hook:deployed']);
  expect(Object.keys(scripts)).toEqual(expect.arrayContaining(named));
});

/** Zips a folder and reads the archive again. Returns its files, which are all that leaves this machine. */
function zip(folder: string): Record<string, Uint8Array> {
  const files: Zippable = {};
  for (const name of filesIn(folder)) files[name.replaceAll('\\', '/')] = readFileSync(join(folder, name));
  return unzipSync(zipSync(files, { level: 0 }));
}

function unzip(files: Record<string, Uint8Array>, folder: string): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
}

function filesIn(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => statSync(join(folder, name)).isFile()).toSorted();
}

/** Creates a folder that is deleted after the test. */
function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'deployed-'));
  onTestFinished(() => {
    setPermissions(folder, 0o755, 0o644);
    rmSync(folder, { recursive: true });
  });
  return folder;
}

/** Sets the permissions of a folder, of the folders below it, and of all files in them. */
function setPermissions(folder: string, folders: number, files: number): void {
  chmodSync(folder, folders | 0o200);
  for (const { name, parentPath } of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(parentPath, name);
    chmodSync(path, statSync(path).isDirectory() ? folders : files);
  }
  chmodSync(folder, folders);
}

function ancestors(folder: string): string[] {
  const parent = dirname(folder);
  return parent === folder ? [folder] : [folder, ...ancestors(parent)];
}
