import type { Form } from '../request/json-form.ts';
import type { Incoming } from '../request/read-body.ts';
import { withImageIndex } from '../image/image-index.ts';
import type { Service } from './service.ts';

/**
 * Returns the bytes of a form's images. It downloads blobs in parallel. The storage libraries are loaded at the first
 * blob.
 * @throws {Problem} about the first blob that cannot be read
 */
export async function loadImages(
  images: Form['images'],
  { settings, storage }: Pick<Service, 'settings' | 'storage'>,
  { deadline, reservation }: Pick<Incoming, 'deadline' | 'reservation'>,
): Promise<readonly Buffer[]> {
  if (images.every((image) => Buffer.isBuffer(image))) return images;
  const [{ readBlob }, account] = await Promise.all([import('../storage/read-blob.ts'), storage()]);
  const options = { deadline, reservation, maxBytes: settings.maxImageBytes };
  const reads = images.map(async (image, at) =>
    Buffer.isBuffer(image)
      ? image
      : withImageIndex(at, images.length, async () =>
          readBlob(account.container(image.container), image.name, options),
        ),
  );
  // If one download fails, wait for the others: the reservation must count their memory until they end.
  await Promise.allSettled(reads);
  return Promise.all(reads);
}
