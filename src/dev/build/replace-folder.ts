import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';

/**
 * Replaces the content of a folder with that of another one, whose files it moves. Both must be on the same disk.
 * It replaces each file atomically and leaves equal files alone, so that a concurrent reader finds every file complete:
 * azd builds and zips all services at the same time.
 */
export async function replaceFolder(folder: string, by: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const wanted = await entriesOf(by);
  for (const [path, isFolder] of wanted) {
    const [from, to] = [join(by, path), join(folder, path)];
    if (isFolder || (await isSame(from, to))) continue;
    await mkdir(dirname(to), { recursive: true });
    await rename(from, to);
  }
  const others = [...(await entriesOf(folder)).keys()].filter((path) => !wanted.has(path));
  await Promise.all(others.map(async (path) => rm(join(folder, path), { recursive: true, force: true })));
}

/** Lists a folder recursively. Returns relative paths, and whether each is a folder. */
async function entriesOf(folder: string): Promise<Map<string, boolean>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return new Map(entries.map((entry) => [relative(folder, join(entry.parentPath, entry.name)), entry.isDirectory()]));
}

async function isSame(one: string, other: string): Promise<boolean> {
  const [content, present] = await Promise.all([readFile(one), readFile(other).catch(() => undefined)]);
  return present?.equals(content) ?? false;
}
