import {
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
import { startAzure } from '../../src/dev/emulator/azure.ts';
import { startApp } from '../e2e/app.ts';
import { ask } from '../e2e/ask.ts';
import { readTemplate } from './template.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const { azure } = readTemplate(ROOT);

test('what azd zips is served from an empty folder, with no node_modules near', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'deployed-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  unzip(zip(join(ROOT, azure.services['api']?.dist ?? '')), folder);
  expect(ancestors(folder).filter((each) => existsSync(join(each, 'node_modules')))).toEqual([]);

  const emulated = await startAzure();
  const app = await startApp(emulated.env, folder);
  onTestFinished(async () => {
    await app.stop();
    emulated.close();
  });
  const answer = await ask(app.url, readFileSync(join(ROOT, 'test/images/sailboat.jpg')));
  expect(answer.text).toContain('A JPEG image of 960 x 640 pixels');
  expect(answer.status).toBe(200);
});

test('it holds what the host looks for, and nothing of this machine', () => {
  const files = zip(join(ROOT, 'dist'));
  const names = Object.keys(files);
  const { main, dependencies } = JSON.parse(Buffer.from(files['package.json'] ?? []).toString()) as {
    main: string;
    dependencies?: unknown;
  };
  expect(names).toEqual(expect.arrayContaining(['host.json', main]));
  expect(dependencies).toBeUndefined();
  expect(names.filter((name) => /node_modules|local\.settings|\.env|\.ts$/.test(name))).toEqual([]);
});

test('azd builds nothing in Azure, and accepts that', () => {
  expect(azure.services['api']).toMatchObject({ dist: 'dist', remoteBuild: false });
  expect(azure.requiredVersions.azd).toBe('>= 1.24.1');
  // azd refuses remoteBuild: false where .funcignore excludes node_modules; any pattern that matches it will do.
  const patterns = existsSync(join(ROOT, '.funcignore'))
    ? readFileSync(join(ROOT, '.funcignore'), 'utf8').split('\n')
    : [];
  expect(patterns.filter((line) => /^\/?(?:\*+|node_modules)\/?/.test(line) && !line.startsWith('*.'))).toEqual([]);
});

test('the hooks are scripts of package.json, in both shells', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  for (const { posix, windows } of Object.values(azure.hooks)) {
    expect(windows.run).toBe(`${posix.run}; exit $LASTEXITCODE`);
  }
  const named = Object.values(azure.hooks).flatMap(({ posix }) => /npm run --silent (\S+)/.exec(posix.run)?.[1] ?? []);
  expect(named).toEqual(['hook:provisioned', 'hook:deployed']);
  expect(Object.keys(scripts)).toEqual(expect.arrayContaining(named));
});

/** A folder as a zip archive, and that as its files: all that leaves this machine is in it. */
function zip(folder: string): Record<string, Uint8Array> {
  const files: Zippable = {};
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (statSync(join(folder, name)).isFile()) files[name.replaceAll('\\', '/')] = readFileSync(join(folder, name));
  }
  return unzipSync(zipSync(files));
}

function unzip(files: Record<string, Uint8Array>, folder: string): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
}

function ancestors(folder: string): string[] {
  const parent = dirname(folder);
  return parent === folder ? [folder] : [folder, ...ancestors(parent)];
}
