import { pipeline } from 'node:stream/promises';
import { Busboy, type BusboyFileStream } from '@fastify/busboy';
import { invalidRequest } from '../http/invalid-request.ts';
import { releaseBuffer } from '../http/release-buffer.ts';
import { Problem } from '../http/problem.ts';
import { imageTooLarge, tooManyImages } from '../image/faults.ts';
import { aboutImage } from '../image/image-index.ts';
import type { Form } from './json-form.ts';
import { untilClosed } from './until-closed.ts';

/** Parts beyond the images: the few fields there are, and some room. */
const MAX_FIELDS = 16;
/** Enough for any instructions and any schema that the service takes. */
const MAX_FIELD_BYTES = 512 * 1024;
const MAX_HEADER_PAIRS = 16;
/** What browsers make of every line break in a field: https://html.spec.whatwg.org/#multipart-form-data */
const CRLF = '\r\n';
/** Of 1 to 70 characters: RFC 2046, section 5.1.1. */
const BOUNDARY = /;\s*boundary=(?:"([^"\\]{1,70})"|([^\s";]{1,70})(?=[\s;]|$))/i;

/** What one form may hold. */
export interface MultipartLimits {
  readonly maxImages: number;
  /** Bytes, of each. */
  readonly maxImageBytes: number;
}

/**
 * Reads `multipart/form-data` (RFC 7578): parts called `image`, in their order, and fields.
 * @throws {Problem} about the form or the number and size of its images, or what reading `body` throws
 */
export async function readMultipart(
  body: AsyncIterable<Uint8Array>,
  contentType: string,
  limits: MultipartLimits,
): Promise<Form> {
  const fields: Record<string, string> = {};
  const images: Buffer[] = [];
  const boundary = boundaryOf(contentType);
  const parser = createParser(boundary, limits);
  const fail = (problem: Problem): void => void parser.destroy(problem);

  parser.on('file', (name: string | undefined, part, fileName) => {
    part.on('error', () => undefined); // the parser reports it too
    if (name === 'image') collect(part, images, limits, fail);
    else
      fail(
        invalidRequest([{ field: name ?? fileName, message: 'is a file under an unknown name; call the part image' }]),
      );
  });
  parser.on('field', (name: string | undefined, value, _nameCut, valueCut) => {
    if (!name) fail(invalidRequest([{ field: 'body', message: 'has a part without a name' }]));
    else if (valueCut) fail(invalidRequest([{ field: name, message: `has more than ${MAX_FIELD_BYTES} bytes` }]));
    else if (Object.hasOwn(fields, name)) fail(invalidRequest([{ field: name, message: 'was given twice' }]));
    else fields[name] = value.replaceAll(CRLF, '\n');
  });
  parser.on('filesLimit', () => fail(tooManyImages(limits.maxImages)));
  for (const limit of ['partsLimit', 'fieldsLimit']) parser.on(limit, () => fail(malformed('has too many parts')));

  try {
    await pipeline(untilClosed(body, boundary), parser);
  } catch (error) {
    throw error instanceof Error && error.constructor === Error
      ? malformed('is not whole: it must end with its closing boundary', error)
      : error;
  }
  return { fields, images };
}

function boundaryOf(contentType: string): string {
  const [, quoted, bare] = BOUNDARY.exec(contentType) ?? [];
  const boundary = quoted ?? bare;
  if (boundary === undefined)
    throw malformed('is multipart/form-data without a boundary in its Content-Type; let the client set that header');
  return boundary;
}

function createParser(boundary: string, { maxImages, maxImageBytes }: MultipartLimits) {
  return new Busboy({
    headers: { 'content-type': `multipart/form-data; boundary="${boundary}"` },
    isPartAFile: (name, _type, fileName) => name === 'image' || fileName !== undefined,
    limits: {
      files: maxImages,
      fileSize: maxImageBytes,
      fields: MAX_FIELDS,
      fieldSize: MAX_FIELD_BYTES,
      // One more than there can be, so that too many images are told as that.
      parts: maxImages + MAX_FIELDS + 1,
      headerPairs: MAX_HEADER_PAIRS,
    },
  });
}

function collect(
  part: BusboyFileStream,
  images: Buffer[],
  { maxImageBytes }: MultipartLimits,
  fail: (problem: Problem) => void,
): void {
  const at = images.push(Buffer.alloc(0)) - 1;
  const chunks: Buffer[] = [];
  part.on('data', (chunk: Buffer) => chunks.push(chunk));
  part.once('limit', () => fail(aboutImage(at, imageTooLarge(maxImageBytes))));
  part.once('end', () => {
    images[at] = Buffer.concat(chunks);
    for (const chunk of chunks) releaseBuffer(chunk);
  });
}

function malformed(message: string, cause?: unknown): Problem {
  return invalidRequest([{ field: 'body', message }], cause);
}
