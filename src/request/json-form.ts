import { isRecord } from '../config/json-object.ts';
import type { Limits } from '../config/limits.ts';
import type { StorageSettings } from '../config/storage.ts';
import { runStep } from '../http/event-loop.ts';
import { invalidBody, invalidRequest } from '../http/problem.ts';
import { tooManyImages } from '../image/faults.ts';
import { withImageIndex } from '../image/image-index.ts';
import { type BlobPlace, blobPlace } from '../storage/blob-url.ts';
import { decodeImage } from './data-url.ts';
import type { LargeJson } from './large-json.ts';

/** The fields that a form or JSON may have besides its images. */
export const FIELDS: ReadonlySet<string> = new Set(['instructions', 'detail', 'maxTokens', 'schema']);

/** A request's fields and images, as received and unchecked. */
export interface Form {
  readonly fields: Readonly<Record<string, unknown>>;
  /** For each image, its bytes or the blob to read them from. */
  readonly images: readonly (Buffer | BlobPlace)[];
}

/** How many images a form may have, how many bytes each may have, and which containers its blobs may be in. */
export type ImageLimits = Pick<Limits, 'maxImages' | 'maxImageBytes'> & Pick<StorageSettings, 'imageContainers'>;

/**
 * Reads a question sent as JSON: fields, and `images` as data URLs, bare base64 or `{"blob": URL}`. It does not read
 * the blobs yet.
 * @throws {Problem} about the document or its images
 */
export async function readJsonForm(
  json: LargeJson,
  { maxImages, maxImageBytes, imageContainers }: ImageLimits,
): Promise<Form> {
  const { value } = json;
  if (!isRecord(value)) throw invalidBody('must be a JSON object');
  const { all, fields } = await runStep(() => takeImages(value));
  const given: unknown = all ?? [];
  if (!Array.isArray(given))
    throw invalidRequest([{ field: 'images', message: 'must be an array of data URLs, base64 strings or blobs' }]);
  if (given.length > maxImages) throw tooManyImages(maxImages);

  const images: (Buffer | BlobPlace)[] = [];
  for (const [at, image] of given.entries()) {
    const field = `images[${at}]`;
    images.push(
      await withImageIndex(at, given.length, async () => {
        const blob = blobIn(image);
        if (blob !== undefined) return blobPlace(await json.take(blob).toText(), imageContainers);
        if (typeof image !== 'string')
          throw invalidRequest([{ field, message: 'must be a string (a data URL or base64) or {"blob": URL}' }]);
        return decodeImage({ text: json.take(image), field, mayBeBare: true }, maxImageBytes);
      }),
    );
  }
  const restored = await json.restore(fields);
  return { fields: isRecord(restored) ? restored : {}, images };
}

/** Splits the images from the fields. It is a step of its own, because there may be thousands of unknown fields. */
function takeImages({ images: all, ...fields }: Readonly<Record<string, unknown>>) {
  return { all, fields };
}

/** Returns the URL in `{"blob": URL}`, or undefined for any other value. */
function blobIn(image: unknown): string | undefined {
  if (!isRecord(image) || Object.keys(image).length !== 1 || typeof image['blob'] !== 'string') return undefined;
  return image['blob'];
}
