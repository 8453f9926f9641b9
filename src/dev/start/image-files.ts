import { opendir } from 'node:fs/promises';
import { extname, join } from 'node:path';

/** Extensions of the image types that the app takes. */
const ENDINGS = new Set('.jpg .jpeg .png .gif .webp .heic .heif .avif .tif .tiff'.split(' '));

/**
 * Yields the paths of all images in a folder and its subfolders. Each path begins with the folder.
 * @throws {Error} of the file system, if the folder cannot be read
 */
export async function* imageFiles(folder: string): AsyncGenerator<string> {
  for await (const entry of await opendir(folder, { recursive: true })) {
    if (entry.isFile() && ENDINGS.has(extname(entry.name).toLowerCase())) yield join(entry.parentPath, entry.name);
  }
}
