import { randomUUID } from 'node:crypto';
import type { ModelRequest } from '../azure/model.ts';
import type { Limits } from '../config/limits.ts';
import { invalidRequest, Problem } from '../http/problem.ts';
import { tooManyImages } from '../image/faults.ts';
import type { Image } from '../image/image.ts';
import type { ReadImage } from '../image/image-reader.ts';
import { withImageIndex } from '../image/image-index.ts';
import { stripMetadata } from '../image/strip-metadata.ts';
import { decodeImage } from './data-url.ts';
import type { LargeJson } from './large-json.ts';

/** A PDF begins with this, which readers look for in its first KB: ISO 32000-1, 7.5.2 and annex H, note 13. */
const PDF_MARK = '%PDF-';
const PDF_HEAD_BYTES = 1024;

/** An image or a PDF file in a request of OpenAI's, as a data URL. */
export interface Attachment {
  readonly kind: 'image' | 'pdf';
  /** The path to it, as a program would write it. */
  readonly field: string;
  readonly url: string;
  /** Puts another URL in its place, in the parsed document. */
  readonly replace: (url: string) => void;
}

/** The attachments of a request, which has placeholders for them. */
export interface Placed {
  readonly images: readonly Image[];
  /** The bytes of all of them by their placeholders, in the order of the document. */
  readonly bytes: ModelRequest['images'];
}

/** How much of them one request may hold. */
export type AttachmentLimits = Pick<Limits, 'maxImages' | 'maxImageBytes' | 'maxBodyBytes'>;

/**
 * Decodes and checks the attachments of a document, and puts placeholders in their places.
 * @throws {Problem} about the first that is not what it has to be
 */
export async function placeAttachments(
  json: LargeJson,
  attachments: readonly Attachment[],
  { maxImages, maxImageBytes, maxBodyBytes }: AttachmentLimits,
  readImage: ReadImage,
): Promise<Placed> {
  const imageCount = attachments.filter(({ kind }) => kind === 'image').length;
  if (imageCount > maxImages) throw tooManyImages(maxImages);
  const images: Image[] = [];
  const bytes = new Map<string, readonly Buffer[]>();
  for (const { kind, field, url, replace } of attachments) {
    const text = { text: json.take(url), field, mayBeBare: false };
    const placeholder = randomUUID();
    if (kind === 'pdf') {
      bytes.set(placeholder, [checkPdf(await decodeImage(text, maxBodyBytes).catch(notAPdf(field)), field)]);
      replace(`data:application/pdf;base64,${placeholder}`);
    } else {
      const image = await withImageIndex(images.length, imageCount, async () =>
        readImage(await decodeImage(text, maxImageBytes)),
      );
      images.push(image);
      bytes.set(placeholder, stripMetadata(image));
      replace(`data:${image.type};base64,${placeholder}`);
    }
  }
  return { images, bytes };
}

function checkPdf(bytes: Buffer, field: string): Buffer {
  const hasMark = bytes.subarray(0, PDF_HEAD_BYTES).includes(PDF_MARK);
  return hasMark ? bytes : notAPdf(field)(new Problem('invalid_request', 'is no PDF'));
}

function notAPdf(field: string): (cause: unknown) => never {
  return (cause) => {
    if (!(cause instanceof Problem)) throw cause;
    const message = 'must be a PDF file as a data URL: data:application/pdf;base64,… Nothing is fetched';
    throw invalidRequest([{ field, message }], cause);
  };
}
