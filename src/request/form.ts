import { isUtf8 } from 'node:buffer';
import type { Limits } from '../config/limits.ts';
import type { IncomingRequest } from '../http/incoming-request.ts';
import { type FieldError, invalidBody, invalidRequest, Problem } from '../http/problem.ts';
import { imageTooLarge, tooManyImages } from '../image/faults.ts';
import type { ImageSettings } from '../image/image.ts';
import { withImageIndex } from '../image/image-index.ts';
import { blobPlace } from '../storage/blob-url.ts';
import { toUtf8, UTF_8 } from './charset.ts';
import {
  type ContentType,
  contentTypeOf,
  guessKind,
  isImageType,
  explainReadAsImage,
  refuseBody,
} from './content-type.ts';
import { type Form, type ImageLimits, readJsonForm } from './json-form.ts';
import { LargeJson } from './large-json.ts';
import { readMultipart } from './multipart.ts';
import { bodyChunks, type BodyLimit, type Incoming, readBody } from './read-body.ts';

/** Limits of a form. Sizes are in bytes. */
export type FormLimits = ImageLimits & Pick<Limits, 'maxBodyBytes'> & ImageSettings;

/**
 * The fields that a query may have. Unrelated names are ignored, because function keys and gateways use the query, too.
 */
const QUERY_FIELDS = ['instructions', 'detail', 'maxTokens'];
/** The parameter that names a blob to read as an image. It may be repeated. */
const BLOB = 'blob';
/** Fields that only a body may have. */
const BODY_FIELDS = new Set(['schema', 'image', 'images']);
/** Percent-encoded bytes outside ASCII. A character of UTF-8 that is not ASCII has only such bytes. */
const NOT_ASCII = /(?:%[89a-f][\da-f])+/gi;

/**
 * Reads the fields of a question from the query of a URL.
 * @throws {Problem} `invalid_request` if a field is not UTF-8, is misspelt, or belongs in the body
 */
export function readQuery({ url }: Pick<IncomingRequest, 'url'>): Record<string, string> {
  const { search, searchParams } = url;
  const given = new Map(Array.from(searchParams).filter(([, value]) => value !== ''));
  const misplaced = Array.from(given.keys()).flatMap(misplacedField);
  const faulty = search
    .slice(1)
    .split('&')
    .filter((pair) => !isUtf8Query(pair))
    .flatMap((pair) => Array.from(new URLSearchParams(pair).keys()))
    .filter((field) => QUERY_FIELDS.includes(field) || field === BLOB);
  const message = 'is not UTF-8 text. Percent-encode it as UTF-8: é is %C3%A9';
  const faults = [...faulty.map((field) => ({ field, message })), ...misplaced];
  if (faults.length > 0) throw invalidRequest(faults);
  return Object.fromEntries(
    QUERY_FIELDS.flatMap((name) => (searchParams.has(name) ? [[name, searchParams.get(name) ?? '']] : [])),
  );
}

/** Returns an error if a name in the query is a misspelt field, or a field of the body. */
function misplacedField(field: string): FieldError[] {
  const plain = field.toLowerCase().replaceAll(/[-_]/g, '');
  if (BODY_FIELDS.has(plain))
    return [{ field, message: 'is not taken from the query. Send it as a part of a form, or as a member of JSON' }];
  const meant = [...QUERY_FIELDS, BLOB].find((known) => known.toLowerCase() === plain);
  return meant === undefined || meant === field ? [] : [{ field, message: `is written ${meant} in the query` }];
}

/**
 * Returns whether the query must have all fields of the question, because the body is an image, or the query names
 * blobs.
 */
export function hasFieldsInQueryOnly(request: IncomingRequest): boolean {
  return blobsIn(request).length > 0 || isImageType(contentTypeOf(request));
}

function blobsIn({ url }: Pick<IncomingRequest, 'url'>): readonly string[] {
  return url.searchParams.getAll(BLOB);
}

/**
 * Reads the body according to its Content-Type: a form, JSON, or the bytes of one image. If the query names blobs, the
 * body must be empty. It does not read the blobs yet.
 * @throws {Problem} about the body, or about the number, size or location of its images
 */
export async function readForm(incoming: Incoming, limits: FormLimits): Promise<Form> {
  const blobs = blobsIn(incoming.request);
  const form = blobs.length > 0 ? await readBlobForm(blobs, incoming, limits) : await readAny(incoming, limits);
  incoming.reservation.keep(form.images.filter((image) => Buffer.isBuffer(image)));
  return form;
}

async function readBlobForm(
  blobs: readonly string[],
  incoming: Incoming,
  { maxImages, imageContainers }: FormLimits,
): Promise<Form> {
  if (blobs.length > maxImages) throw tooManyImages(maxImages);
  const images = await Promise.all(
    blobs.map(async (url, at) => withImageIndex(at, blobs.length, async () => blobPlace(url, imageContainers))),
  );
  await readBody(incoming, { bytes: 0, exceeded: mustBeEmpty });
  return { fields: {}, images };
}

function mustBeEmpty(): Problem {
  return invalidBody('must be empty if the URL names blobs with ?blob=…');
}

async function readAny(incoming: Incoming, limits: FormLimits): Promise<Form> {
  const contentType = contentTypeOf(incoming.request);
  switch (contentType.type) {
    case 'multipart/form-data':
      return readMultipart(bodyChunks(incoming, wholeBody(limits)), contentType, limits);
    case 'application/json':
      return readJson(incoming, limits, async (json) => readJsonForm(json, limits));
    default:
      return { fields: {}, images: await readRaw(incoming, limits, contentType) };
  }
}

/**
 * Reads a body as JSON, whatever its Content-Type is. It releases the body's memory when `use` has succeeded.
 * @throws {Problem} about the body, or whatever `use` throws
 */
export async function readJson<T>(
  incoming: Incoming,
  limits: Pick<Limits, 'maxBodyBytes'>,
  use: (json: LargeJson) => Promise<T>,
): Promise<T> {
  const { reservation, request } = incoming;
  const limit = wholeBody(limits);
  const received = await readBody(incoming, limit);
  if (received.length === 0) throw invalidBody('is empty. Send a JSON object');
  const kind = guessKind(received);
  if (kind !== undefined && kind !== 'JSON')
    throw invalidBody(`is ${kind}, but JSON was expected. Send JSON, or correct the Content-Type`);
  const body = await toUtf8(received, contentTypeOf(request).parameters.get('charset') ?? UTF_8, limit);
  if (body !== received) {
    reservation.grow(body.length);
    reservation.keep([body]);
    reservation.release(received);
  }
  reservation.grow(body.length); // decoded images are held beside the body
  const result = await use(await LargeJson.read(body));
  reservation.release(body);
  return result;
}

async function readRaw(incoming: Incoming, limits: FormLimits, contentType: ContentType): Promise<readonly Buffer[]> {
  const { maxBodyBytes, maxImageBytes } = limits;
  const exceeded = (): Problem => {
    const tooLarge = imageTooLarge(maxImageBytes);
    if (isImageType(contentType)) return tooLarge;
    const { code, detail, members } = tooLarge;
    return new Problem(code, `${detail} ${explainReadAsImage(contentType.type)} JSON needs application/json.`, {
      members,
    });
  };
  const limit = maxBodyBytes < maxImageBytes ? wholeBody(limits) : { bytes: maxImageBytes, exceeded };
  const image = await readBody(incoming, limit);
  refuseBody(image, contentType, limits);
  return image.length > 0 ? [image] : [];
}

function wholeBody({ maxBodyBytes: limit }: Pick<Limits, 'maxBodyBytes'>): BodyLimit {
  const exceeded = (): Problem =>
    new Problem(
      'body_too_large',
      `The body has more than ${limit.toLocaleString('en')} bytes. Send fewer images, or scale them down.`,
      { members: { limit } },
    );
  return { bytes: limit, exceeded };
}

function isUtf8Query(encoded: string): boolean {
  return (encoded.match(NOT_ASCII) ?? []).every((run) => isUtf8(Buffer.from(run.replaceAll('%', ''), 'hex')));
}
