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

test('bin/ holds the extension, its library, what names it to the host, and its licence', () => {
  expect(readdirSync(bin).toSorted()).toEqual([
    `${LIBRARY.name}.dll`,
    'LICENSE',
    `${EXTENSION.name}.dll`,
    'extensions.json',
  ]);
});

test('extensions.json names a type of that very assembly', () => {
  const { extensions } = v.parse(Extensions, JSON.parse(readFileSync(join(bin, 'extensions.json'), 'utf8')));
  const [type = '', assembly, version] = extensions[0]?.typeName.split(', ') ?? [];
  expect([extensions.length, assembly, version]).toEqual([1, EXTENSION.name, `Version=${EXTENSION.version}.0`]);
  const library = readFileSync(join(bin, `${EXTENSION.name}.dll`));
  // An attribute of the assembly has the name of its startup type, by which Microsoft's generator finds it.
  expect(library.includes(type)).toBe(true);
});

test('the library is of the version that the extension asks for', () => {
  const packages = process.env['NUGET_PACKAGES'] ?? join(homedir(), '.nuget', 'packages');
  const name = EXTENSION.name.toLowerCase();
  const specification = readFileSync(join(packages, name, EXTENSION.version, `${name}.nuspec`), 'utf8');
  expect(specification).toContain(`<dependency id="${LIBRARY.name}" version="${LIBRARY.version}"`);
  expect(specification).toContain('<license type="expression">MIT</license>');
});
