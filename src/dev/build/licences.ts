import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BundledPackage } from './bundled-package.ts';

/**
 * Names of licence files: LICENSE, LICENCE.md, license.txt, NOTICE, CopyrightNotice.txt, COPYING, ThirdPartyNotices.txt
 * …
 */
const LICENCE_FILE = /^(?:licen[cs]es?|notice|copyright-?notice|copying|third-?party-?notices?)(?:[.-].*)?$/i;
/** Licences, from their repositories, of packages that are published without one. */
const MISSING: ReadonlyMap<string, URL> = new Map([
  // https://github.com/nodable/val-parsers/blob/main/LICENSE
  ['@nodable/entities', new URL('missing-licences/nodable-entities.txt', import.meta.url)],
]);
const RULE = '-'.repeat(80);

/**
 * Returns the complete licences and notices of everything in the bundle, as one text.
 * @param comments - legal comments from the sources, because some packages contain code from elsewhere
 * @throws {Error} if a package has no licence text
 */
export async function licences(
  root: string,
  packages: readonly BundledPackage[],
  comments: readonly string[],
): Promise<string> {
  const texts = packages.map(async (each) =>
    section(`${each.name} ${each.version} (${each.license})`, await licenceOf(root, each)),
  );
  const inSources = section('Comments in the sources of these packages', [...new Set(comments)].join('\n'));
  return [
    `This app contains code of ${packages.length} packages under these licences.\n`,
    ...(await Promise.all(texts)),
    inSources,
  ].join('\n');
}

async function licenceOf(root: string, { name, directory }: BundledPackage): Promise<string> {
  const files = (await readdir(join(root, directory))).filter((file) => LICENCE_FILE.test(file)).toSorted();
  const missing = MISSING.get(name);
  const paths = files.length === 0 && missing ? [missing] : files.map((file) => join(root, directory, file));
  if (paths.length === 0) throw new Error(`${name} comes without the text of its license, so it cannot be shipped.`);
  const texts = await Promise.all(paths.map(async (path) => readFile(path, 'utf8')));
  return texts.join('\n');
}

function section(title: string, text: string): string {
  return `${RULE}\n${title}\n${RULE}\n\n${text.replaceAll('\r\n', '\n').trim()}\n`;
}
