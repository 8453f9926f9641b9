import { invalidRequest, Problem } from '../http/problem.ts';
import { runStep } from '../http/event-loop.ts';
import { imageTooLarge } from '../image/faults.ts';
import { Base64Decoder, decodedLength } from './base64.ts';
import { PIECE_BYTES } from './charset.ts';
import type { JsonText, JsonTextReader } from './json-text.ts';
import { type BodyLimit, joinChunks } from './read-body.ts';

/** Bytes to search for the comma of a data URL. Parameters before it, such as a filename, may be long. */
const MAX_PREFIX_BYTES = 16 * 1024;
/** A URL parser removes C0 controls and spaces from both ends: https://url.spec.whatwg.org/#concept-basic-url-parser */
const LAST_CONTROL_OR_SPACE = 0x20;
/** The same parser removes tabs and line breaks everywhere. */
const TABS_AND_LINE_BREAKS = /[\t\n\r]+/g;
const SCHEME = /^[a-z][a-z\d+.-]*:/i;
/** The end of a prefix that announces base64: https://fetch.spec.whatwg.org/#data-url-processor, step 11 */
const BASE64_PREFIX = /; *base64$/i;
/** An incomplete escape at the end of a piece, such as the `%2` of `%2B`. */
const UNFINISHED_PERCENT = /%[\t\n\r]*[\da-f]?[\t\n\r]*$/i;
const PERCENT = 0x25;
const HEX_DIGITS = Int8Array.from({ length: 256 }, (_, byte) =>
  '0123456789abcdef'.indexOf(String.fromCharCode(byte).toLowerCase()),
);

/** An image as text: a data URL or bare base64. */
export interface ImageText {
  readonly text: JsonText;
  /** Its path in the request, such as `images[0]`. */
  readonly field: string;
  /** Whether bare base64 is accepted, without a data URL around it. */
  readonly mayBeBare: boolean;
}

/**
 * Decodes an image in short steps, so that other requests are not held up. It reads a data URL as `fetch()` does, and
 * ignores the media type in it: later checks tell the type by the bytes. It never fetches anything.
 * @throws {Problem} `invalid_request` if the text is not a data URL or not base64, `image_too_large` if it decodes to
 * more than `maxImageBytes`, or `empty_image` if it decodes to nothing
 */
export async function decodeImage(image: ImageText, maxImageBytes: number): Promise<Buffer> {
  const { text, field } = image;
  const reader = text.read();
  const head = reader.next(MAX_PREFIX_BYTES);
  const limit = { bytes: maxImageBytes, exceeded: () => imageTooLarge(maxImageBytes) };
  const { start, isUrl, isBase64 } = readHead(head, reader.left > 0, image);
  const pieces = new Pieces(start, reader, isUrl);
  const lastTwo = text.bytes.toString('latin1', text.bytes.length - 2);
  const atMost = decodedLength(start.length + reader.left, lastTwo);
  const bytes = isBase64
    ? await decodeBase64(pieces, new Base64Decoder(atMost, limit))
    : await decodePlain(pieces, limit);
  if (!bytes)
    throw invalid(
      field,
      'is not valid base64. Encode the image again, and send the whole text: letters, digits, + and /',
    );
  if (bytes.length === 0) throw new Problem('empty_image', `${field} has no bytes. Send the image itself, as base64.`);
  return bytes;
}

/** Tells a data URL from bare base64. `start` is the part of the head that belongs to the data. */
function readHead(head: string, goesOn: boolean, { field, mayBeBare }: ImageText) {
  const trimmed = head.slice(leadingControls(head)).replaceAll(TABS_AND_LINE_BREAKS, '');
  if (!/^data:/i.test(trimmed)) {
    if (SCHEME.test(trimmed))
      throw invalid(
        field,
        'must be a data URL (data:image/png;base64,…), because no address is ' +
          `fetched${mayBeBare ? '; a blob in one of IMAGE_CONTAINERS is sent as {"blob": URL}' : ''}`,
      );
    if (!mayBeBare) throw invalid(field, 'must be a data URL: data:image/png;base64, and then the base64');
    return { start: head, isUrl: false, isBase64: true };
  }
  const comma = trimmed.indexOf(',');
  const prefix = trimmed.slice('data:'.length, comma);
  if (comma < 0 && goesOn)
    throw invalid(field, `is a data URL with more than ${MAX_PREFIX_BYTES} bytes before its comma`);
  if (comma < 0) throw invalid(field, 'is a data URL without a comma between its type and its data');
  if (prefix.includes('#')) throw invalid(field, 'is a data URL that ends at a # before its comma; write %23 instead');
  return { start: trimmed.slice(comma + 1), isUrl: true, isBase64: BASE64_PREFIX.test(prefix.trim()) };
}

/** Reads the data of an image's text in pieces. */
class Pieces {
  readonly #reader: JsonTextReader;
  readonly #isUrl: boolean;
  #pending: string;
  #ended = false;

  constructor(start: string, reader: JsonTextReader, isUrl: boolean) {
    this.#pending = start;
    this.#reader = reader;
    this.#isUrl = isUrl;
  }

  get ended(): boolean {
    return this.#ended || (this.#pending === '' && this.#reader.left === 0);
  }

  next(length: number): string {
    const piece = this.#pending + this.#reader.next(length - this.#pending.length);
    const unfinished = this.#isUrl && this.#reader.left > 0 ? UNFINISHED_PERCENT.exec(piece.slice(-16)) : null;
    this.#pending = unfinished?.[0] ?? '';
    return piece.slice(0, piece.length - this.#pending.length);
  }

  /**
   * Returns the bytes of a piece. In a URL, it removes tabs and line breaks, stops at #, and percent-decodes the rest.
   */
  clean(piece: string): Buffer {
    if (!this.#isUrl) return Buffer.from(piece);
    const hash = piece.indexOf('#');
    if (hash >= 0) this.#ended = true;
    const data = hash < 0 ? piece : piece.slice(0, hash);
    const kept = hash < 0 && this.ended ? data.slice(0, data.length - trailingControls(data)) : data;
    return percentDecode(Buffer.from(kept.replaceAll(TABS_AND_LINE_BREAKS, '')));
  }
}

async function decodeBase64(pieces: Pieces, decoder: Base64Decoder): Promise<Buffer | undefined> {
  const clean = (piece: string): string => pieces.clean(piece).toString('latin1');
  while (!pieces.ended) {
    if (!(await runStep(() => decoder.write(pieces.next(PIECE_BYTES - decoder.pending), clean)))) return undefined;
  }
  return decoder.end();
}

async function decodePlain(pieces: Pieces, limit: BodyLimit): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  while (!pieces.ended) {
    const chunk = await runStep(() => pieces.clean(pieces.next(PIECE_BYTES)));
    length += chunk.length;
    if (length > limit.bytes) throw limit.exceeded();
    chunks.push(chunk);
  }
  return joinChunks(chunks);
}

/** Percent-decodes in place: https://url.spec.whatwg.org/#percent-decode */
function percentDecode(bytes: Buffer): Buffer {
  if (!bytes.includes(PERCENT)) return bytes;
  let length = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    let byte = bytes[at] ?? 0;
    if (byte === PERCENT) {
      const upper = HEX_DIGITS[bytes[at + 1] ?? 0] ?? -1;
      const lower = HEX_DIGITS[bytes[at + 2] ?? 0] ?? -1;
      if (upper >= 0 && lower >= 0) {
        byte = upper * 16 + lower;
        at += 2;
      }
    }
    bytes[length] = byte;
    length += 1;
  }
  return bytes.subarray(0, length);
}

function leadingControls(text: string): number {
  let count = 0;
  while (text.charCodeAt(count) <= LAST_CONTROL_OR_SPACE) count += 1;
  return count;
}

function trailingControls(text: string): number {
  let count = 0;
  while (text.charCodeAt(text.length - 1 - count) <= LAST_CONTROL_OR_SPACE) count += 1;
  return count;
}

function invalid(field: string, message: string): Problem {
  return invalidRequest([{ field, message }]);
}
