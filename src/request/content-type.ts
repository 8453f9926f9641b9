import { MIMEType } from 'node:util';
import type { IncomingRequest } from '../http/incoming-request.ts';
import { Problem } from '../http/problem.ts';
import { type ImageSettings, supportedTypes } from '../image/image.ts';

/** A parsed Content-Type. */
export interface ContentType {
  /** The type in lower case, without parameters, such as `multipart/form-data`. Empty if there is no Content-Type. */
  readonly type: string;
  /** Values by lower-case name. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** Characters to read of a header. The longest filename fits. */
const MAX_CHARACTERS = 4096;
/** Characters to show of a Content-Type that cannot be parsed. */
const MAX_UNKNOWN = 100;
/** Node's parser takes seconds for a header full of blanks. A header with this many in a row is not parsed. */
const LONG_GAP = /[\t ]{64}/;
/** Bytes of a body to look at when guessing its kind. */
const HEAD_BYTES = 1024;
/** Characters that base64 must have to be recognized. Shorter text may look like base64 by chance. */
const LEAST_BASE64 = 24;
/** A short text that ends with an extension of image files. */
const FILE_NAME = /^[^\p{Cc}]{1,250}\.(?:jpe?g|png|gif|webp|hei[cf]|avif|tiff?|bmp|pdf)\s*$/iu;
/** The first bytes of the image types that the model takes, as Latin-1. */
const IMAGE_STARTS = ['\u0089PNG', '\u00ff\u00d8\u00ff', 'GIF8', 'RIFF'];

/** Kinds of body that are not an image, and what the caller should do instead. */
const OTHER_KINDS = {
  JSON: 'Send it with Content-Type: application/json.',
  'a multipart form':
    'Send it with Content-Type: multipart/form-data and its boundary; most clients set that header themselves.',
  'a URL-encoded form':
    'Send the fields as JSON with Content-Type: application/json, or as multipart/form-data, as curl -F does.',
  'base64 text': 'Decode it and send the bytes, or send it in "images" of JSON, with Content-Type: application/json.',
  'the name of a file':
    'Send the file itself. With curl, put @ before its name: --data-binary @FILE, or -F image=@FILE.',
  'a data URL': 'Send it in "images" of JSON, with Content-Type: application/json, or decode it and send the bytes.',
} as const;

type OtherKind = keyof typeof OTHER_KINDS;

/**
 * Parses a Content-Type as leniently as https://mimesniff.spec.whatwg.org/#parsing-a-mime-type. If a proxy joined two
 * headers with a comma, the first one counts.
 */
export function parseContentType(header: string | null): ContentType {
  const value = (header ?? '').slice(0, MAX_CHARACTERS);
  return (
    parse(value) ??
    parse(value.split(',', 1).join()) ?? {
      type: value.split(';', 1).join().trim().slice(0, MAX_UNKNOWN).toLowerCase(),
      parameters: new Map(),
    }
  );
}

function parse(value: string): ContentType | undefined {
  if (LONG_GAP.test(value)) return undefined;
  try {
    const { essence, params } = new MIMEType(value);
    return { type: essence, parameters: new Map(params) };
  } catch {
    return undefined;
  }
}

/** Parses the Content-Type of a request. */
export function contentTypeOf({ headers }: Pick<IncomingRequest, 'headers'>): ContentType {
  return parseContentType(headers.get('content-type'));
}

/** Guesses the kind of a body from its first bytes. Returns undefined if it matches no known kind. */
export function guessKind(body: Uint8Array): OtherKind | 'an image' | undefined {
  const head = Buffer.from(body.buffer, body.byteOffset, Math.min(body.length, HEAD_BYTES)).toString('latin1');
  if (IMAGE_STARTS.some((start) => head.startsWith(start))) return 'an image';
  const text = head.replace(/^(?:ï»¿)?\s+|^ï»¿/, '');
  if (/^(?:\{\s*(?:["}]|$)|\[\s*(?:[[{"\]]|$))/.test(text)) return 'JSON';
  if (/^data:[^,\s]*[;,]/i.test(text)) return 'a data URL';
  if (/^--[^\r\n]{1,70}[ \t]*\r?\ncontent-/i.test(text)) return 'a multipart form';
  if (FILE_NAME.test(text)) return 'the name of a file';
  const letters = text.replaceAll(/[\r\n]+/g, '');
  if (letters.length >= LEAST_BASE64 && /^[\w+/-]+={0,2}$/.test(letters)) return 'base64 text';
  return /^[a-z_][\w.*%+-]+=[!-~]*$/i.test(text) ? 'a URL-encoded form' : undefined;
}

/**
 * Refuses a body that should be the bytes of an image, but is clearly something else, such as JSON.
 * @throws {Problem} `unsupported_image_type`, with what to send instead
 */
export function refuseBody(body: Uint8Array, { type }: ContentType, settings: ImageSettings): void {
  const kind = type.startsWith('multipart/') ? 'a multipart form' : guessKind(body);
  if (kind !== undefined && kind !== 'an image')
    throw notAnImage(`The body is ${kind}. ${explainReadAsImage(type)} ${OTHER_KINDS[kind]}`, settings);
}

/**
 * Does the same as {@link refuseBody} for an image part of a form.
 * @param index - which image of the form it is, counted from 0
 * @throws {Problem} `unsupported_image_type`, with what to send instead
 */
export function refusePart(image: Uint8Array, index: number, settings: ImageSettings): void {
  const kind = guessKind(image);
  if (kind === undefined || kind === 'an image') return;
  const advice = 'A part named image must be the bytes of one image. Other fields have other names.';
  const next =
    kind === 'the name of a file'
      ? OTHER_KINDS[kind]
      : 'For base64 or a data URL, send JSON with "images" in it and Content-Type: application/json.';
  throw notAnImage(`Image ${index + 1} is ${kind}. ${advice} ${next}`, settings);
}

/**
 * Adds a hint about `curl -d`, which damages images, to a problem about an image.
 * It does so only if the request has the Content-Type that `curl -d` sends by default.
 */
export function explainDamage(error: unknown, request: Pick<IncomingRequest, 'headers'>): unknown {
  if (contentTypeOf(request).type !== 'application/x-www-form-urlencoded') return error;
  if (!(error instanceof Problem) || !['corrupt_image', 'unsupported_image_type'].includes(error.code)) return error;
  // Its type was recognized, so it is not damaged.
  if (typeof error.members['detected'] === 'string') return error;
  const advice =
    'If you use curl, send the file with --data-binary: -d removes its line breaks, which damages an image.';
  return new Problem(error.code, `${error.detail} ${advice}`, { members: error.members, cause: error });
}

function notAnImage(detail: string, settings: ImageSettings): Problem {
  return new Problem('unsupported_image_type', detail, {
    members: { detected: null, supported: supportedTypes(settings) },
  });
}

/** Returns whether a Content-Type is an image type, or the type of unknown bytes. */
export function isImageType({ type }: ContentType): boolean {
  return type.startsWith('image/') || type === 'application/octet-stream';
}

/** Explains why a body was read as an image. */
export function explainReadAsImage(type: string): string {
  return type === ''
    ? 'It has no Content-Type, so it was read as the bytes of one image.'
    : `Its Content-Type is ${type}, so it was read as the bytes of one image.`;
}
