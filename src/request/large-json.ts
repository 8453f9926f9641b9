import { randomUUID } from 'node:crypto';
import { invalidRequest } from '../http/invalid-request.ts';

/** A text literal above this many bytes is kept out of the parser; images are, and little else. */
const LONG_TEXT_BYTES = 4096;
/** What remains goes through the parser at once, so it must not hold the event loop up: in bytes, and in depth. */
const MAX_REST_BYTES = 4 * 1024 * 1024;
const MAX_DEPTH = 100;

/** They stand escaped in JSON, the upper ones excepted: RFC 8259, section 7. */
const CONTROL_CHARACTER = /[^\P{Cc}\u007F-\u009F]/u;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * A JSON document whose long texts stay where they are: in the body's bytes. The parser sees placeholders in their
 * place, so that megabytes of base64 cost neither its time nor a copy.
 */
export class LargeJson {
  /** The parsed document, with a placeholder for every long text. */
  readonly value: unknown;
  readonly #longTexts: ReadonlyMap<string, Buffer>;

  /** @throws {Problem} `invalid_request`: not JSON, too much of it beside the long texts, or nested too deeply */
  constructor(body: Buffer) {
    const { rest, longTexts } = takeOutLongTexts(body);
    if (isTooDeep(rest)) throw malformed(`is nested more than ${MAX_DEPTH} levels deep`);
    this.value = parse(rest);
    this.#longTexts = longTexts;
  }

  /** The bytes of a text, which may be a placeholder's. */
  bytesOf(text: string): Buffer {
    return this.#longTexts.get(text) ?? Buffer.from(text);
  }

  /** The same value with all placeholders replaced, but for those in `keep`. */
  restore(value: unknown, keep: ReadonlyMap<string, unknown>): unknown {
    if (typeof value === 'string') return keep.has(value) ? value : this.#textOf(value);
    if (Array.isArray(value)) return value.map((each) => this.restore(each, keep));
    if (!(value instanceof Object)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => [this.#textOf(name), this.restore(member, keep)]),
    );
  }

  #textOf(text: string): string {
    const long = this.#longTexts.get(text)?.toString();
    if (long !== undefined && CONTROL_CHARACTER.test(long)) throw malformed('is not valid JSON');
    return long ?? text;
  }
}

function takeOutLongTexts(body: Buffer): { rest: string; longTexts: Map<string, Buffer> } {
  const longTexts = new Map<string, Buffer>();
  const kept: Buffer[] = [];
  let from = 0;
  let keptBytes = 0;
  const keep = (to: number, next: number): void => {
    kept.push(body.subarray(from, to));
    keptBytes += to - from;
    from = next;
  };
  for (let open = body.indexOf(QUOTE); open >= 0;) {
    const close = closingQuote(body, open);
    if (close < 0) throw malformed('is not valid JSON: a text has no end');
    const text = body.subarray(open + 1, close);
    // A text with escapes is the parser's business: its bytes are not its value.
    if (text.length > LONG_TEXT_BYTES && !text.includes(BACKSLASH)) {
      const placeholder = randomUUID();
      longTexts.set(placeholder, text);
      keep(open + 1, close);
      kept.push(Buffer.from(placeholder));
    }
    if (keptBytes + close - from > MAX_REST_BYTES) break;
    open = body.indexOf(QUOTE, close + 1);
  }
  keep(body.length, body.length);
  if (keptBytes > MAX_REST_BYTES) throw malformed(`has more than ${MAX_REST_BYTES} bytes beside its images`);
  return {
    rest: Buffer.concat(kept)
      .toString()
      .replace(/^\uFEFF/, ''),
    longTexts,
  };
}

/** The quote that ends a text: the first that has an even number of backslashes before it. */
function closingQuote(body: Buffer, open: number): number {
  for (let at = body.indexOf(QUOTE, open + 1); at >= 0; at = body.indexOf(QUOTE, at + 1)) {
    let slashes = 0;
    while (body[at - 1 - slashes] === BACKSLASH) slashes += 1;
    if (slashes % 2 === 0) return at;
  }
  return -1;
}

function isTooDeep(json: string): boolean {
  let depth = 0;
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|[[{]|[\]}]/gs)) {
    if (token === '[' || token === '{') depth += 1;
    else if (token === ']' || token === '}') depth -= 1;
    if (depth > MAX_DEPTH) return true;
  }
  return false;
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    // The parser's own message quotes the document, and no part of it may reach a log.
    throw malformed('is not valid JSON');
  }
}

function malformed(message: string) {
  return invalidRequest([{ field: 'body', message }]);
}
