import { randomUUID } from 'node:crypto';
import { isRecord } from '../config/json-object.ts';
import { invalidBody, invalidRequest } from '../http/problem.ts';
import { runStep } from '../http/event-loop.ts';
import { decodeText, loneSurrogate, UTF_8 } from './charset.ts';
import { JsonText } from './json-text.ts';

/** Strings of more bytes than this are kept from the parser. Images are that long, and little else is. */
const LONG_TEXT_BYTES = 4096;
/** Bytes that everything but the images may have. No model reads more: a million tokens are about 4 MB of text. */
const MAX_REST_BYTES = 4 * 1024 * 1024;
/**
 * Limit of commas, colons, opening brackets and strings. Parsing so many blocks the event loop for a few milliseconds.
 */
const MAX_TOKENS = 50_000;
const MAX_DEPTH = 100;
/** Bytes to scan in one step, which takes about a tenth of a millisecond. */
const STEP_BYTES = 64 * 1024;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * A JSON document whose long strings stay in the body's buffer. The parser gets placeholders instead, so that megabytes
 * of base64 are neither parsed nor copied.
 */
export class LargeJson {
  /** The parsed document, with a placeholder for each long string. */
  readonly value: unknown;
  /** Number of its commas, colons, opening brackets and strings. */
  readonly tokens: number;
  readonly #longTexts: Map<string, JsonText>;
  readonly #otherBytes: number;

  private constructor(value: unknown, tokens: number, longTexts: Map<string, JsonText>, otherBytes: number) {
    this.value = value;
    this.tokens = tokens;
    this.#longTexts = longTexts;
    this.#otherBytes = otherBytes;
  }

  /**
   * Parses a UTF-8 document in short steps, so that other requests are not held up.
   * @throws {Problem} `invalid_request` if it is not JSON, is nested too deeply, or is too large without its long
   * strings
   */
  static async read(body: Buffer): Promise<LargeJson> {
    const scanner = new Scanner(body);
    while (!(await runStep(() => scanner.step()))) continue;
    const { rest, tokens, longTexts } = scanner;
    const text = decodeText(rest, UTF_8, 'body');
    return new LargeJson(await runStep(() => parse(text)), tokens, longTexts, rest.length);
  }

  /**
   * Returns a document for a part of this one. Both share the long strings: if you take a string out of one, it is gone
   * from the other, too.
   */
  at(part: unknown): LargeJson {
    return new LargeJson(part, this.tokens, this.#longTexts, this.#otherBytes);
  }

  /**
   * Takes a string out of the document. {@link restore} no longer restores it.
   * @param text - the string in {@link value}, which may be a placeholder
   */
  take(text: string): JsonText {
    const long = this.#longTexts.get(text);
    this.#longTexts.delete(text);
    return long ?? JsonText.of(text);
  }

  /**
   * Returns a copy of a value with its long strings in place of their placeholders. Strings that were taken out stay
   * out.
   * @throws {Problem} `invalid_request` if the strings are too long in total, or one of them is not valid
   */
  async restore(value: unknown): Promise<unknown> {
    const lengths = [...this.#longTexts.values()].map(({ bytes }) => bytes.length);
    if (lengths.reduce((sum, length) => sum + length, this.#otherBytes) > MAX_REST_BYTES) throw tooMuch();
    const texts = new Map<string, string>();
    for (const [placeholder, text] of this.#longTexts) texts.set(placeholder, await text.toText());
    return runStep(() => withTexts(value, texts));
  }
}

/** Scans a document once and takes out its long strings. */
class Scanner {
  readonly longTexts = new Map<string, JsonText>();
  readonly #body: Buffer;
  readonly #kept: Uint8Array[] = [];
  #keptBytes = 0;
  /** Start of the bytes to keep next. */
  #from = 0;
  #at = 0;
  /** Position of the opening quote if the scanner is inside a string, or else -1. */
  #open = -1;
  #hasEscapes = false;
  #depth = 0;
  #tokens = 0;

  constructor(body: Buffer) {
    this.#body = body;
  }

  /** The document with a placeholder for each long string. */
  get rest(): Buffer {
    return Buffer.concat(this.#kept);
  }

  get tokens(): number {
    return this.#tokens;
  }

  /** Scans the next {@link STEP_BYTES}. @returns whether the document ends there */
  step(): boolean {
    const end = Math.min(this.#at + STEP_BYTES, this.#body.length);
    while (this.#at < end) {
      if (this.#open < 0) this.#skipStructure(end);
      else this.#skipText(end);
    }
    const keptTo = this.#open < 0 ? this.#at : this.#open;
    if (this.#keptBytes + keptTo - this.#from > MAX_REST_BYTES) throw tooMuch();
    if (this.#at < this.#body.length) return false;
    if (this.#open >= 0) throw invalidBody('is not valid JSON: a string has no end. Send all of the body');
    this.#keep(this.#body.length, this.#body.length);
    return true;
  }

  #skipStructure(end: number): void {
    for (; this.#at < end; this.#at += 1) {
      switch (this.#body[this.#at]) {
        case QUOTE:
          this.#countToken();
          this.#open = this.#at;
          this.#hasEscapes = false;
          this.#at += 1;
          return;
        case OPEN_ARRAY:
        case OPEN_OBJECT:
          this.#countToken();
          this.#depth += 1;
          if (this.#depth > MAX_DEPTH) throw invalidBody(`is nested more than ${MAX_DEPTH} levels deep`);
          break;
        case CLOSE_ARRAY:
        case CLOSE_OBJECT:
          this.#depth -= 1;
          break;
        case COMMA:
        case COLON:
          this.#countToken();
      }
    }
  }

  #skipText(end: number): void {
    const body = this.#body;
    const ahead = body.subarray(this.#at, end);
    const quote = ahead.indexOf(QUOTE);
    const backslash = (quote < 0 ? ahead : ahead.subarray(0, quote)).indexOf(BACKSLASH);
    if (backslash < 0) {
      this.#at = quote < 0 ? end : this.#at + quote;
      if (quote >= 0) this.#closeText();
      return;
    }
    this.#hasEscapes = true;
    let at = this.#at + backslash;
    // An escaped quote does not end the string.
    while (at < end && body[at] !== QUOTE) at += body[at] === BACKSLASH ? 2 : 1;
    this.#at = at;
    if (at < end) this.#closeText();
  }

  #closeText(): void {
    const text = this.#body.subarray(this.#open + 1, this.#at);
    if (text.length > LONG_TEXT_BYTES) {
      const placeholder = randomUUID();
      this.longTexts.set(placeholder, new JsonText(text, this.#hasEscapes));
      this.#keep(this.#open + 1, this.#at);
      this.#kept.push(Buffer.from(placeholder));
    }
    this.#open = -1;
    this.#at += 1;
  }

  #keep(to: number, next: number): void {
    this.#kept.push(this.#body.subarray(this.#from, to));
    this.#keptBytes += to - this.#from;
    this.#from = next;
  }

  #countToken(): void {
    this.#tokens += 1;
    if (this.#tokens > MAX_TOKENS) throw invalidBody(`has more than ${MAX_TOKENS} members, items and strings`);
  }
}

function withTexts(value: unknown, texts: ReadonlyMap<string, string>): unknown {
  if (typeof value === 'string') return textOf(value, texts);
  if (Array.isArray(value)) return value.map((each) => withTexts(each, texts));
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [textOf(name, texts), withTexts(member, texts)]),
  );
}

function textOf(text: string, texts: ReadonlyMap<string, string>): string {
  const whole = texts.get(text) ?? text;
  if (!whole.isWellFormed()) throw invalidRequest([loneSurrogate('body')]);
  return whole;
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    // The parser's message quotes the document, and no part of the document may reach a log.
    throw invalidBody('is not valid JSON. Write it with a JSON library, and send all of it');
  }
}

function tooMuch() {
  return invalidBody(`has more than ${MAX_REST_BYTES} bytes besides its images`);
}
