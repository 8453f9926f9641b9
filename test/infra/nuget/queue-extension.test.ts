import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PACKAGES, queueExtension } from '../../../src/dev/build/queue-extension.ts';

const [EXTENSION, LIBRARY] = PACKAGES;
const Extensions = v.object({ extensions: v.array(v.object({ name: v.string(), typeName: v.string() })) });

let bin: string;
beforeAll(async () => {
  bin = join(mkdtempSync(join(tmpdir(), 'extension-')), 'bin');
  await queueExtension(bin);
});
afterAll(() => rmSync(join(bin, '..'), { recursive: true }));

test('bin/ has the extension, its library, extensions.json and the licence', () => {
  expect(readdirSync(bin).toSorted()).toEqual([
    `${LIBRARY.name}.dll`,
    'LICENSE',
    `${EXTENSION.name}.dll`,
    'extensions.json',
  ]);
});

test('extensions.json names a type that is in the assembly', () => {
  const { extensions } = v.parse(Extensions, JSON.parse(readFileSync(join(bin, 'extensions.json'), 'utf8')));
  const [type = '', assembly, version] = extensions[0]?.typeName.split(', ') ?? [];
  expect([extensions.length, assembly, version]).toEqual([1, EXTENSION.name, `Version=${EXTENSION.version}.0`]);
  const library = readFileSync(join(bin, `${EXTENSION.name}.dll`));
  // An attribute of the assembly names its startup type. Microsoft's generator reads it from there, too.
  expect(library.includes(type)).toBe(true);
});

test('the library has the version that the extension depends on, and the licence is MIT', () => {
  const packages = process.env['NUGET_PACKAGES'] ?? join(homedir(), '.nuget', 'packages');
  const name = EXTENSION.name.toLowerCase();
  const specification = readFileSync(join(packages, name, EXTENSION.version, `${name}.nuspec`), 'utf8');
  expect(specification).toContain(`<dependency id="${LIBRARY.name}" version="${LIBRARY.version}"`);
  expect(specification).toContain('<license type="expression">MIT</license>');
});
