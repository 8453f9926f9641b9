import { invalidBody } from '../http/problem.ts';
import { runStep } from '../http/event-loop.ts';
import { notInCharset, PIECE_BYTES, UTF_8 } from './charset.ts';

const BACKSLASH = 0x5c;
const U = 0x75;
/** Lengths of escapes such as `\u0041` and `\n`. */
const LONG_ESCAPE_BYTES = 6;
const SHORT_ESCAPE_BYTES = 2;

const utf8 = new TextDecoder(UTF_8, { fatal: true, ignoreBOM: true });

/** A string in a JSON document: the bytes between its quotes. It may have megabytes, so it is read in pieces. */
export class JsonText {
  readonly bytes: Buffer;
  readonly #hasEscapes: boolean;

  constructor(bytes: Buffer, hasEscapes: boolean) {
    this.bytes = bytes;
    this.#hasEscapes = hasEscapes;
  }

  /** Makes a JsonText from a string that is already parsed. */
  static of(value: string): JsonText {
    const json = JSON.stringify(value).slice(1, -1);
    return new JsonText(Buffer.from(json), json.includes('\\'));
  }

  /** Returns a new reader at the start of the string. */
  read(): JsonTextReader {
    return new JsonTextReader(this.bytes, this.#hasEscapes);
  }

  /**
   * Decodes the whole string.
   * @throws {Problem} `invalid_request` if it is not valid UTF-8, or not a valid JSON string
   */
  async toText(): Promise<string> {
    // Parse a string without escapes, too: the parser refuses control characters.
    const reader = new JsonTextReader(this.bytes, true);
    let text = '';
    while (reader.left > 0) text += await runStep(() => reader.next(PIECE_BYTES));
    return text;
  }
}

/** Reads a {@link JsonText} from start to end. */
export class JsonTextReader {
  readonly #bytes: Buffer;
  readonly #hasEscapes: boolean;
  #at = 0;

  constructor(bytes: Buffer, hasEscapes: boolean) {
    this.#bytes = bytes;
    this.#hasEscapes = hasEscapes;
  }

  /** Number of bytes that are not read yet. It is also the highest number of characters that can follow. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /**
   * Decodes the next piece. It is a few bytes shorter than asked for if a character or an escape would be cut.
   * @param bytes - length of the piece in the document
   * @throws {Problem} `invalid_request` if the piece is not valid UTF-8, or has an invalid escape
   */
  next(bytes: number): string {
    const end = this.#wholeBefore(this.#at + bytes);
    const piece = decode(this.#bytes.subarray(this.#at, end));
    this.#at = end;
    return this.#hasEscapes ? unescape(piece) : piece;
  }

  /** Moves the end of a piece back if it would cut an escape or a character. */
  #wholeBefore(end: number): number {
    const bytes = this.#bytes;
    if (end >= bytes.length) return bytes.length;
    const escape = this.#hasEscapes ? this.#escapeAcross(end) : undefined;
    if (escape !== undefined) return escape;
    let whole = end;
    while (whole > end - 3 && isContinuation(bytes[whole])) whole -= 1;
    return whole;
  }

  #escapeAcross(end: number): number | undefined {
    const bytes = this.#bytes;
    const backslash = bytes.subarray(end - LONG_ESCAPE_BYTES + 1, end).lastIndexOf(BACKSLASH);
    if (backslash < 0) return undefined;
    const at = end - LONG_ESCAPE_BYTES + 1 + backslash;
    // Two backslashes are one escape. After an odd number of backslashes, the last one begins an escape.
    let first = at;
    while (first > this.#at && bytes[first - 1] === BACKSLASH) first -= 1;
    if ((at - first) % 2 === 1) return undefined;
    const length = bytes[at + 1] === U ? LONG_ESCAPE_BYTES : SHORT_ESCAPE_BYTES;
    return at + length > end ? at : undefined;
  }
}

function isContinuation(byte = 0): boolean {
  return (byte & 0xc0) === 0x80;
}

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (error) {
    throw notInCharset(UTF_8, 'body', error);
  }
}

function unescape(text: string): string {
  try {
    return String(JSON.parse(`"${text}"`));
  } catch {
    // The parser's message quotes the document, and no part of the document may reach a log.
    throw invalidBody('is not valid JSON. Write it with a JSON library, and send all of it');
  }
}
