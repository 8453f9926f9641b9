import { invalidRequest, shorten } from '../http/problem.ts';
import { releaseBuffer } from '../http/release-buffer.ts';
import { runStep } from '../http/event-loop.ts';
import { Base64Decoder, decodedLength } from './base64.ts';
import { type ContentType, parseContentType } from './content-type.ts';
import { PIECE_BYTES } from './charset.ts';
import { type BodyLimit, joinChunks } from './read-body.ts';

/** The transfer encodings that leave the bytes as they are: RFC 2045, section 6.2. */
const UNCHANGED: ReadonlySet<string> = new Set(['', '7bit', '8bit', 'binary']);
const BASE64 = 'base64';
/** Base64 is 4/3 as long as its data, plus line breaks. This factor is higher, so nothing valid is refused. */
const BASE64_GROWTH = 1.5;

/** One part of a form while it arrives. */
export class Part {
  /** Empty until the headers have arrived, and afterwards if they have no name. */
  name = '';
  /** Whether it has a filename, which may be empty. */
  isFile = false;
  contentType: ContentType = { type: '', parameters: new Map() };
  readonly #chunks: Uint8Array[] = [];
  #length = 0;
  #fileName: string | undefined;
  #encoding = '';

  /** @param headers - lists of values by lower-case name, decoded as Latin-1 */
  readHeaders(headers: object): void {
    const values = new Map(
      Object.entries(headers).map(([name, value]: [string, unknown]) => [
        name,
        Array.isArray(value) ? String(value[0]) : '',
      ]),
    );
    // A Content-Disposition has the same syntax as a media type, so the same parser reads it.
    const { type, parameters } = parseContentType(`multipart/${values.get('content-disposition') ?? ''}`);
    if (type === 'multipart/form-data') {
      this.name = Buffer.from(parameters.get('name') ?? '', 'latin1').toString();
      this.#fileName = parameters.get('filename') ?? parameters.get('filename*');
      this.isFile = this.#fileName !== undefined;
    }
    this.contentType = parseContentType(values.get('content-type') ?? null);
    this.#encoding = (values.get('content-transfer-encoding') ?? '').trim().toLowerCase();
  }

  /** Whether it comes from an input that the user left empty: it has no bytes, and no filename or an empty one. */
  get isUnused(): boolean {
    return !this.#fileName && this.#length === 0;
  }

  add(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /** Returns whether its decoded length certainly exceeds a number of bytes. */
  isLongerThan(bytes: number): boolean {
    return this.#length > (this.#encoding === BASE64 ? bytes * BASE64_GROWTH : bytes);
  }

  /** @throws {Problem} `invalid_request` if its transfer encoding is not supported */
  checkEncoding(): void {
    if (UNCHANGED.has(this.#encoding) || this.#encoding === BASE64) return;
    const message =
      `has Content-Transfer-Encoding: ${shorten(this.#encoding)}, which is not supported. Send the bytes as they are, ` +
      'without that header';
    throw invalidRequest([{ field: this.name, message }]);
  }

  /**
   * Returns all bytes of the part, decoded. Call it once: it releases the chunks.
   * @throws {Problem} `invalid_request` if the part should be base64 and is not, or the limit's problem if its base64
   * decodes to too many bytes. Other parts must be checked with {@link isLongerThan} before.
   */
  async toBytes(limit: BodyLimit): Promise<Buffer> {
    const bytes = await joinChunks(this.#chunks);
    if (this.#encoding !== BASE64) return bytes;
    const decoder = new Base64Decoder(decodedLength(bytes.length, ''), limit);
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      const isBase64 = await runStep(() => decoder.write(bytes.toString('latin1', at, at + PIECE_BYTES)));
      if (!isBase64) throw this.#notBase64();
    }
    const decoded = await decoder.end();
    if (!decoded) throw this.#notBase64();
    releaseBuffer(bytes);
    return decoded;
  }

  #notBase64() {
    return invalidRequest([
      {
        field: this.name,
        message:
          'has Content-Transfer-Encoding: base64, but is not valid base64. Encode it again, or send the bytes ' +
          'without that header',
      },
    ]);
  }
}
