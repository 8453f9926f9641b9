import { isRecord } from '../config/json-object.ts';
import { invalidRequest } from '../http/invalid-request.ts';
import { LargeJson } from './large-json.ts';
import { decodeImage } from './data-url.ts';
import { tooManyImages } from '../image/faults.ts';
import { withImageIndex } from '../image/image-index.ts';

/** A request's fields and images as they came, not checked. */
export interface Form {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly images: readonly Buffer[];
}

/** What one document may hold. */
export interface JsonLimits {
  readonly maxImages: number;
  /** Bytes, of each. */
  readonly maxImageBytes: number;
}

/**
 * Reads the JSON form of a question: `images` as data URLs or bare base64, and fields.
 * @throws {Problem} about the document or its images
 */
export async function readJsonForm(body: Buffer, { maxImages, maxImageBytes }: JsonLimits): Promise<Form> {
  const json = new LargeJson(body);
  if (!isRecord(json.value)) throw invalidRequest([{ field: 'body', message: 'must be a JSON object' }]);
  const { images = [], ...fields } = json.value;
  if (!Array.isArray(images))
    throw invalidRequest([{ field: 'images', message: 'must be an array of data URLs or base64 texts' }]);
  if (images.length > maxImages) throw tooManyImages(maxImages);

  const decoded: Buffer[] = [];
  for (const [at, image] of images.entries()) {
    const field = `images[${at}]`;
    if (typeof image !== 'string') throw invalidRequest([{ field, message: 'must be a text: a data URL or base64' }]);
    decoded.push(
      await withImageIndex(at, images.length, async () => decodeImage(json.bytesOf(image), field, maxImageBytes, true)),
    );
  }
  return {
    fields: Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, json.restore(value, new Map())])),
    images: decoded,
  };
}
