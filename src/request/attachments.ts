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

/**
 * The mark at the start of a PDF file. Readers look for it in the first KB: ISO 32000-1, 7.5.2 and annex H, note 13.
 */
const PDF_MARK = '%PDF-';
const PDF_HEAD_BYTES = 1024;

/** An image or a PDF file, sent as a data URL in a request to one of OpenAI's APIs. */
export interface Attachment {
  readonly kind: 'image' | 'pdf';
  /** Its path in the request, such as `messages[0].content[1].image_url.url`. */
  readonly field: string;
  readonly url: string;
  /** Replaces the URL in the parsed document. */
  readonly replace: (url: string) => void;
}

/** The attachments of a request. The request itself has placeholders in their places. */
export interface PlacedAttachments {
  readonly images: readonly Image[];
  /** The bytes of all attachments by placeholder, in document order. */
  readonly bytes: ModelRequest['images'];
}

/** Limits for the attachments of one request. Sizes are in bytes. */
export type AttachmentLimits = Pick<Limits, 'maxImages' | 'maxImageBytes' | 'maxBodyBytes'>;

/**
 * Decodes and checks the attachments of a document, and replaces them with placeholders.
 * @throws {Problem} about the first attachment that fails a check
 */
export async function placeAttachments(
  json: LargeJson,
  attachments: readonly Attachment[],
  { maxImages, maxImageBytes, maxBodyBytes }: AttachmentLimits,
  readImage: ReadImage,
): Promise<PlacedAttachments> {
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
  return hasMark ? bytes : notAPdf(field)(new Problem('invalid_request', 'is not a PDF'));
}

function notAPdf(field: string): (cause: unknown) => never {
  return (cause) => {
    if (!(cause instanceof Problem)) throw cause;
    const message = 'must be a PDF file as a data URL: data:application/pdf;base64,… Nothing is fetched';
    throw invalidRequest([{ field, message }], cause);
  };
}
