import { takeMemory } from '../http/spare-memory.ts';
import { type BodyLimit, joinChunks } from './read-body.ts';

/**
 * White space inside base64: MIME encoders break lines after 76 characters.
 * https://infra.spec.whatwg.org/#ascii-whitespace
 */
const WHITE_SPACE = /[\t\n\f\r ]+/g;
/** The last group of four characters. It may be short, with or without padding: RFC 4648, sections 4 and 5. */
const LAST_GROUP = /^(?:[\w+/-]{4}|[\w+/-]{3}=?|[\w+/-]{2}(?:==)?)?$/;

/**
 * Returns how many bytes base64 decodes to. White space counts as data, so the result may be too high.
 * @param characters - length of the base64
 * @param lastTwo - its last two characters, which may be padding
 */
export function decodedLength(characters: number, lastTwo: string): number {
  const padding = lastTwo.endsWith('==') ? 2 : lastTwo.endsWith('=') ? 1 : 0;
  return Math.floor(((characters - padding) * 3) / 4);
}

/**
 * Decodes base64 that arrives in pieces. It accepts both alphabets of RFC 4648. Padding is optional, and white space is
 * ignored.
 */
export class Base64Decoder {
  readonly #limit: BodyLimit;
  readonly #bytes: Buffer;
  #length = 0;
  #rest = '';

  /**
   * @param atMost - bytes that the whole base64 decodes to at most. The constructor takes memory for them, up to the
   * limit
   */
  constructor(atMost: number, limit: BodyLimit) {
    this.#limit = limit;
    this.#bytes = takeMemory(Math.min(atMost, limit.bytes));
  }

  /** Number of characters that wait for the rest of their group of four. */
  get pending(): number {
    return this.#rest.length;
  }

  /**
   * Decodes the next piece. This is cheapest if the pending characters and the piece together form whole groups of
   * four.
   * @param clean - removes what is not base64, such as percent-encoding. Called only if the fast path fails
   * @returns whether the piece is base64
   * @throws {Problem} the limit's problem, if more bytes come out than it allows
   */
  write(piece: string, clean: (text: string) => string = (text) => text): boolean {
    const text = this.#rest + piece;
    if (text.length % 4 === 0 && this.#decode(text)) {
      this.#rest = '';
      return true;
    }
    const letters = clean(text).replaceAll(WHITE_SPACE, '');
    // Keep the last group back: it may be the end, and only the end may be padded.
    const groups = Math.max(0, (letters.length - 1) & ~3);
    this.#rest = letters.slice(groups);
    if (this.#length + (groups / 4) * 3 > this.#limit.bytes) throw this.#limit.exceeded();
    return this.#decode(letters.slice(0, groups));
  }

  /**
   * Decodes the last group.
   * @returns all bytes, in a buffer that nothing else shares, or undefined if the end is not valid base64
   * @throws {Problem} the limit's problem, if more bytes come out than it allows
   */
  async end(): Promise<Buffer | undefined> {
    if (!LAST_GROUP.test(this.#rest)) return undefined;
    const last = Buffer.from(this.#rest, 'base64');
    if (this.#length + last.length > this.#limit.bytes) throw this.#limit.exceeded();
    this.#length += last.copy(this.#bytes, this.#length);
    return this.#length === this.#bytes.length ? this.#bytes : joinChunks([this.#bytes.subarray(0, this.#length)]);
  }

  #decode(groups: string): boolean {
    const length = (groups.length / 4) * 3;
    // Node skips characters that are not base64. So a short result means an invalid character or a full buffer.
    if (this.#bytes.write(groups, this.#length, 'base64') < length) return false;
    this.#length += length;
    return true;
  }
}
