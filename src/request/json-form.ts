import { isRecord } from '../config/json-object.ts';
import type { Limits } from '../config/limits.ts';
import { invalidBody, invalidRequest } from '../http/invalid-request.ts';
import { tooManyImages } from '../image/faults.ts';
import { withImageIndex } from '../image/image-index.ts';
import { decodeImage } from './data-url.ts';
import type { LargeJson } from './large-json.ts';

/** The fields that a form or JSON may have beside its images. */
export const FIELDS: ReadonlySet<string> = new Set(['instructions', 'detail', 'maxTokens', 'schema']);

/** A request's fields and images as they came, not checked. */
export interface Form {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly images: readonly Buffer[];
}

/**
 * Reads the JSON form of a question: `images` as data URLs or bare base64, and fields.
 * @throws {Problem} about the document or its images
 */
export async function readJsonForm(
  json: LargeJson,
  { maxImages, maxImageBytes }: Pick<Limits, 'maxImages' | 'maxImageBytes'>,
): Promise<Form> {
  if (!isRecord(json.value)) throw invalidBody('must be a JSON object');
  const { images: given, ...fields } = json.value;
  const images: unknown = given ?? [];
  if (!Array.isArray(images))
    throw invalidRequest([{ field: 'images', message: 'must be an array of data URLs or base64 texts' }]);
  if (images.length > maxImages) throw tooManyImages(maxImages);

  const decoded: Buffer[] = [];
  for (const [at, image] of images.entries()) {
    const field = `images[${at}]`;
    if (typeof image !== 'string') throw invalidRequest([{ field, message: 'must be a text: a data URL or base64' }]);
    const text = { text: json.take(image), field, mayBeBare: true };
    decoded.push(await withImageIndex(at, images.length, async () => decodeImage(text, maxImageBytes)));
  }
  const restored = await json.restore(fields);
  return { fields: isRecord(restored) ? restored : {}, images: decoded };
}
