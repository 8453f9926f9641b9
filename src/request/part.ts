import { invalidRequest } from '../http/problem.ts';
import { releaseBuffer } from '../http/release-buffer.ts';
import { inTurn } from '../http/turn.ts';
import { Base64Decoder, decodedLength } from './base64.ts';
import { type ContentType, parseContentType } from './content-type.ts';
import { PIECE_BYTES } from './charset.ts';
import { type BodyLimit, joinChunks } from './read-body.ts';

/** The transfer encodings that leave the bytes as they are: RFC 2045, section 6.2. */
const UNCHANGED: ReadonlySet<string> = new Set(['', '7bit', '8bit', 'binary']);
const BASE64 = 'base64';
/** Base64 has four bytes for three, and line breaks. This is more than that, so nothing valid is refused. */
const BASE64_GROWTH = 1.5;

/** One part of a form, as it arrives. */
export class Part {
  /** Empty until the headers have arrived, or if they have no name. */
  name = '';
  /** Whether it has a filename, even an empty one. */
  isFile = false;
  contentType: ContentType = { type: '', parameters: new Map() };
  readonly #chunks: Uint8Array[] = [];
  #length = 0;
  #fileName: string | undefined;
  #encoding = '';

  /** @param headers - lists of values by name, as Latin-1 */
  readHeaders(headers: object): void {
    const values = new Map(
      Object.entries(headers).map(([name, value]: [string, unknown]) => [
        name,
        Array.isArray(value) ? String(value[0]) : '',
      ]),
    );
    // The parameters of a Content-Disposition are written as those of a media type are.
    const { type, parameters } = parseContentType(`multipart/${values.get('content-disposition') ?? ''}`);
    if (type === 'multipart/form-data') {
      this.name = Buffer.from(parameters.get('name') ?? '', 'latin1').toString();
      this.#fileName = parameters.get('filename') ?? parameters.get('filename*');
      this.isFile = this.#fileName !== undefined;
    }
    this.contentType = parseContentType(values.get('content-type') ?? null);
    this.#encoding = (values.get('content-transfer-encoding') ?? '').trim().toLowerCase();
  }

  /** Whether a form sends it for an input that nobody used: with no filename or an empty one, and no bytes. */
  get isUnused(): boolean {
    return !this.#fileName && this.#length === 0;
  }

  add(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /** Whether it certainly has more bytes than that once it is decoded. */
  isLongerThan(bytes: number): boolean {
    return this.#length > (this.#encoding === BASE64 ? bytes * BASE64_GROWTH : bytes);
  }

  /** @throws {Problem} `invalid_request` if its transfer encoding is not supported */
  checkEncoding(): void {
    if (UNCHANGED.has(this.#encoding) || this.#encoding === BASE64) return;
    const message = `has Content-Transfer-Encoding: ${this.#encoding}, which is not supported. Send the bytes as they are, without that header`;
    throw invalidRequest([{ field: this.name, message }]);
  }

  /**
   * All of its bytes, decoded.
   * @throws {Problem} the limit's own, or `invalid_request` if they are not what the part's headers say
   */
  async toBytes(limit: BodyLimit): Promise<Buffer> {
    const bytes = await joinChunks(this.#chunks);
    if (this.#encoding !== BASE64) return bytes;
    const decoder = new Base64Decoder(decodedLength(bytes.length, ''), limit);
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      const isBase64 = await inTurn(() => decoder.write(bytes.toString('latin1', at, at + PIECE_BYTES)));
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
          'has Content-Transfer-Encoding: base64, but is not valid base64. Encode it again, or send the bytes without that header',
      },
    ]);
  }
}
