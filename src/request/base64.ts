import { takeMemory } from '../http/spare-memory.ts';
import { type BodyLimit, joinChunks } from './read-body.ts';

/** https://infra.spec.whatwg.org/#ascii-whitespace. MIME encoders break lines after 76 characters. */
const WHITE_SPACE = /[\t\n\f\r ]+/g;
/** The last group of four, which may be short, with or without padding: RFC 4648, sections 4 and 5. */
const LAST_GROUP = /^(?:[\w+/-]{4}|[\w+/-]{3}=?|[\w+/-]{2}(?:==)?)?$/;

/** How many bytes a base64 text decodes to, if it has no white space. */
export function decodedLength(characters: number, lastTwo: string): number {
  const padding = lastTwo.endsWith('==') ? 2 : lastTwo.endsWith('=') ? 1 : 0;
  return Math.floor(((characters - padding) * 3) / 4);
}

/** Decodes base64 that comes piece by piece: either alphabet of RFC 4648, padding optional, white space ignored. */
export class Base64Decoder {
  readonly #limit: BodyLimit;
  readonly #bytes: Buffer;
  #length = 0;
  #rest = '';

  /** @param atMost - bytes that the whole text may decode to: memory for so many is taken at once */
  constructor(atMost: number, limit: BodyLimit) {
    this.#limit = limit;
    this.#bytes = takeMemory(Math.min(atMost, limit.bytes));
  }

  /** Characters of the last group of four, which is not decoded yet. */
  get pending(): number {
    return this.#rest.length;
  }

  /**
   * Decodes the next piece. It costs least if the pending characters and the piece make up whole groups.
   * @param clean - turns a piece that is not base64 as it is into base64
   * @returns whether it is base64
   * @throws {Problem} the limit's own
   */
  write(piece: string, clean: (text: string) => string = (text) => text): boolean {
    const text = this.#rest + piece;
    if (text.length % 4 === 0 && this.#decode(text)) {
      this.#rest = '';
      return true;
    }
    const letters = clean(text).replaceAll(WHITE_SPACE, '');
    // Only the last group may be padded, and this may be the last.
    const groups = Math.max(0, (letters.length - 1) & ~3);
    this.#rest = letters.slice(groups);
    if (this.#length + (groups / 4) * 3 > this.#limit.bytes) throw this.#limit.exceeded();
    return this.#decode(letters.slice(0, groups));
  }

  /**
   * @returns all bytes, in memory of their own, or undefined if the text does not end as base64 does
   * @throws {Problem} the limit's own
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
    // Node skips characters that are not base64, so a short result means that there were some, or that there is no room.
    if (this.#bytes.write(groups, this.#length, 'base64') < length) return false;
    this.#length += length;
    return true;
  }
}
