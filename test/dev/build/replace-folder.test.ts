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
import { expect, onTestFinished, test } from 'vitest';
import { replaceFolder } from '../../../src/dev/build/replace-folder.ts';

function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'replace-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

function contentsOf(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted();
  const files = names.filter((name) => statSync(join(folder, name)).isFile());
  return Object.fromEntries(files.map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}

test('the folder gets the files of the other one, and loses all others', async () => {
  const folder = folderOf({ 'index.js': 'old', 'gone.js': 'x', 'bin/gone.dll': 'x', 'magick/a.wasm': 'same' });
  await replaceFolder(folder, folderOf({ 'index.js': 'new', 'magick/a.wasm': 'same', 'magick/b/c': 'new' }));
  expect(contentsOf(folder)).toEqual({ 'index.js': 'new', 'magick/a.wasm': 'same', 'magick/b/c': 'new' });
  expect(existsSync(join(folder, 'bin'))).toBe(false);
});

test('a folder that does not exist is created', async () => {
  const folder = join(folderOf({}), 'dist');
  await replaceFolder(folder, folderOf({ 'index.js': 'new' }));
  expect(contentsOf(folder)).toEqual({ 'index.js': 'new' });
});

test('an unchanged file is not replaced', async () => {
  const files = { 'index.js': 'same', 'magick/a.wasm': 'same' };
  const folder = folderOf(files);
  const before = Object.keys(files).map((name) => statSync(join(folder, name)).ino);
  await replaceFolder(folder, folderOf(files));
  expect(Object.keys(files).map((name) => statSync(join(folder, name)).ino)).toEqual(before);
});

test('every file that is read during two concurrent replacements is complete', async () => {
  const size = 500_000;
  const names = Array.from({ length: 10 }, (_, number) => `${number}.js`);
  const filesOf = (letter: string): Record<string, string> =>
    Object.fromEntries(names.map((name) => [name, letter.repeat(size)]));
  const folder = folderOf(filesOf('a'));
  const others = [folderOf(filesOf('b')), folderOf(filesOf('b'))];
  const complete = ['a', 'b'].map((letter) => Buffer.from(letter.repeat(size)));
  const broken: string[] = [];
  const state = { isOver: false };
  const replacing = Promise.all(others.map(async (other) => replaceFolder(folder, other)));
  void replacing.finally(() => (state.isOver = true));
  while (!state.isOver) {
    for (const name of names) {
      const content = readFileSync(join(folder, name));
      if (!complete.some((each) => each.equals(content))) broken.push(`${name}: ${content.length} bytes`);
    }
    await new Promise(setImmediate);
  }
  await replacing;
  expect(broken).toEqual([]);
  expect(contentsOf(folder)).toEqual(filesOf('b'));
});
