import { stat } from 'node:fs/promises';
import { relative, sep } from 'node:path';
import type { ContainerClient } from '@azure/storage-blob';
import { imageFiles } from './image-files.ts';

/** A blob's modification time has whole seconds. */
const SECOND_MS = 1_000;

/**
 * Uploads the images of a folder to a container. Each blob is named by its path in the folder. Files that have not
 * changed since their last upload are skipped.
 * @returns how many images the folder has
 */
export async function uploadImages(folder: string, container: ContainerClient): Promise<number> {
  const uploaded = new Map<string, { bytes: number | undefined; at: Date }>();
  for await (const { name, properties } of container.listBlobsFlat()) {
    uploaded.set(name, { bytes: properties.contentLength, at: properties.lastModified });
  }
  let count = 0;
  for await (const file of imageFiles(folder)) {
    const name = relative(folder, file).split(sep).join('/');
    const { size, mtime } = await stat(file);
    const before = uploaded.get(name);
    if (before?.bytes !== size || before.at.getTime() < Math.floor(mtime.getTime() / SECOND_MS) * SECOND_MS)
      await container.getBlockBlobClient(name).uploadFile(file);
    count += 1;
  }
  return count;
}
