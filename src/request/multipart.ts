import { once } from 'node:events';
import { Dicer } from '@fastify/busboy';
import type { Limits } from '../config/limits.ts';
import { invalidBody, invalidRequest, type Problem } from '../http/problem.ts';
import { imageTooLarge, tooManyImages } from '../image/faults.ts';
import type { ImageSettings } from '../image/image.ts';
import { aboutImage } from '../image/image-index.ts';
import { decodeText, UTF_8 } from './charset.ts';
import { type ContentType, guessKind, refusePart } from './content-type.ts';
import { FIELDS, type Form } from './json-form.ts';
import { Part } from './part.ts';
import type { BodyLimit } from './read-body.ts';
import { untilClosed } from './until-closed.ts';

/** How many parts there may be besides the images: the few fields, and some unused inputs of a form. */
const MAX_FIELDS = 16;
/** Bytes of one field. Enough for any instructions and any schema that the service accepts. */
const MAX_FIELD_BYTES = 512 * 1024;
const MAX_HEADER_PAIRS = 16;
/** Browsers send every line break in a field as CRLF: https://html.spec.whatwg.org/#multipart-form-data */
const CRLF = '\r\n';
/** A boundary has 1 to 70 characters: RFC 2046, section 5.1.1. */
const BOUNDARY = /^[^"\\\r\n]{1,70}$/;
/** Bytes of the body to keep, so that a problem can say what the body is if it is not a form. */
const START_BYTES = 1024;
/** The part that names the charset of all parts without a charset: RFC 7578, section 4.6. */
const CHARSET_FIELD = '_charset_';

type FormLimits = Pick<Limits, 'maxImages' | 'maxImageBytes'> & ImageSettings;

/**
 * Reads `multipart/form-data` (RFC 7578): parts named `image`, in their order, and fields. A field may have a filename.
 * @throws {Problem} about the form, or the number or size of its images; also whatever reading `body` throws
 */
export async function readMultipart(
  body: AsyncIterable<Uint8Array>,
  { parameters }: ContentType,
  limits: FormLimits,
): Promise<Pick<Form, 'fields'> & { readonly images: readonly Buffer[] }> {
  const boundary = boundaryOf(parameters.get('boundary'));
  const parts = (await readParts(body, boundary, limits)).filter((part) => !part.isUnused);
  const images: Buffer[] = [];
  for (const part of parts.filter(isImage)) {
    const image = await part.toBytes(imageLimit(images.length, limits));
    refusePart(image, images.length, limits);
    images.push(image);
  }
  return { fields: await readFields(parts.filter((part) => !isImage(part))), images };
}

async function readFields(parts: readonly Part[]): Promise<Record<string, string>> {
  const texts = new Map<string, { readonly bytes: Buffer; readonly charset: string | undefined }>();
  for (const part of parts) {
    if (texts.has(part.name)) throw invalidRequest([{ field: part.name, message: 'was given twice' }]);
    const bytes = await part.toBytes(fieldLimit(part.name));
    texts.set(part.name, { bytes, charset: part.contentType.parameters.get('charset') });
  }
  const formCharset = texts.get(CHARSET_FIELD)?.bytes.toString('latin1') ?? UTF_8;
  texts.delete(CHARSET_FIELD);
  return Object.fromEntries(
    [...texts].map(([name, { bytes, charset = formCharset }]) => [
      name,
      decodeText(bytes, charset, name).replaceAll(CRLF, '\n'),
    ]),
  );
}

async function readParts(
  body: AsyncIterable<Uint8Array>,
  boundary: string,
  limits: FormLimits,
): Promise<readonly Part[]> {
  const parser = new Dicer({ boundary, maxHeaderPairs: MAX_HEADER_PAIRS });
  const finished = once(parser, 'finish');
  finished.catch(() => undefined); // awaited below, unless the form is refused before it ends
  const parts: Part[] = [];
  const ends: Promise<unknown>[] = [];
  let failure: unknown;
  const orFail = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      failure ??= error;
    }
  };
  parser.on('part', (stream) => {
    // The parser emits the error of a part, too, so it is not handled here.
    ends.push(new Promise((resolve) => void stream.once('end', resolve).once('error', resolve)));
    if (failure !== undefined) return void stream.resume();
    const part = new Part();
    parts.push(part);
    stream.on('header', (headers) => {
      part.readHeaders(headers);
      orFail(() => check(part, parts, limits));
    });
    stream.on('data', (chunk) => {
      if (typeof chunk === 'string') return;
      part.add(chunk);
      orFail(() => check(part, parts, limits));
    });
  });

  let start = Buffer.alloc(0);
  for await (const chunk of untilClosed(body, boundary)) {
    if (start.length === 0) start = Buffer.from(chunk.subarray(0, START_BYTES));
    // If the form ends within this chunk, the parser finishes and never drains.
    if (!parser.write(chunk)) await Promise.race([once(parser, 'drain'), finished]);
    if (failure !== undefined) throw failure;
  }
  parser.end();
  try {
    await finished;
    // The parser finishes before a part ends if the part's last chunk ends right before a boundary.
    await Promise.all(ends);
  } catch (error) {
    throw malformed(start, error);
  }
  if (failure !== undefined) throw failure;
  if (parts.some(({ name }) => name === '')) throw withoutName();
  return parts;
}

/** Refuses the form as soon as a part, or the number of parts, is not acceptable. */
function check(part: Part, parts: readonly Part[], { maxImages, maxImageBytes }: FormLimits): void {
  const images = parts.filter((each) => isImage(each) && !each.isUnused);
  if (images.length > maxImages) throw tooManyImages(maxImages);
  if (parts.length > maxImages + MAX_FIELDS)
    throw parts.filter(isImage).length > maxImages ? tooManyImages(maxImages) : invalidBody('has too many parts');
  if (part.isUnused) return;
  if (part.name === '') throw withoutName();
  part.checkEncoding();
  if (!isImage(part) && part.isFile && !FIELDS.has(part.name) && part.name !== CHARSET_FIELD)
    throw invalidRequest([{ field: part.name, message: 'is a file under an unknown name; name the part image' }]);
  const limit = isImage(part) ? imageLimit(images.indexOf(part), { maxImageBytes }) : fieldLimit(part.name);
  if (part.isLongerThan(limit.bytes)) throw limit.exceeded();
}

function withoutName(): Problem {
  return invalidBody('has a part without a name, or with headers that cannot be read');
}

function isImage({ name }: Part): boolean {
  return name === 'image';
}

function imageLimit(index: number, { maxImageBytes }: Pick<Limits, 'maxImageBytes'>): BodyLimit {
  return { bytes: maxImageBytes, exceeded: () => aboutImage(index, imageTooLarge(maxImageBytes)) };
}

function fieldLimit(field: string): BodyLimit {
  const exceeded = () => invalidRequest([{ field, message: `has more than ${MAX_FIELD_BYTES} bytes` }]);
  return { bytes: MAX_FIELD_BYTES, exceeded };
}

function boundaryOf(boundary = ''): string {
  if (BOUNDARY.test(boundary)) return boundary;
  throw invalidBody('is multipart/form-data without a boundary in its Content-Type; let the client set that header');
}

function malformed(start: Uint8Array, cause: unknown): Problem {
  const kind = guessKind(start);
  return kind === undefined || kind === 'a multipart form'
    ? invalidBody(
        'is not a complete form: its lines must end with CRLF, and it must end with its closing boundary',
        cause,
      )
    : invalidBody(`is ${kind}, but its Content-Type is multipart/form-data. Correct the Content-Type`, cause);
}
