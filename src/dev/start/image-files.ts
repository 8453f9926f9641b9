import { opendir } from 'node:fs/promises';
import { extname, join } from 'node:path';

/** Endings of files that an app takes, or says what is wrong with. */
const ENDINGS = new Set('.jpg .jpeg .png .gif .webp .heic .heif .avif .tif .tiff'.split(' '));

/**
 * The images of a folder and of the folders in it, one by one, as paths that begin with the folder.
 * @throws an Error of the file system if the folder cannot be read
 */
export async function* imageFiles(folder: string): AsyncGenerator<string> {
  for await (const entry of await opendir(folder, { recursive: true })) {
    if (entry.isFile() && ENDINGS.has(extname(entry.name).toLowerCase())) yield join(entry.parentPath, entry.name);
  }
}
