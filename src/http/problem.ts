import { type ProblemCode, PROBLEMS } from './problem-catalogue.ts';

/** What a problem may carry beyond its words. */
export interface ProblemOptions {
  /** Members that this code adds to the problem document, such as `limit` or `errors`. */
  readonly members?: Readonly<Record<string, unknown>>;
  /** Response headers that belong to it, such as `retry-after`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What happened underneath; for the log, never for the caller. */
  readonly cause?: unknown;
}

/**
 * Anything that ends a request early: one small type from the first check to the last byte of the answer.
 * `detail` is read by the caller, so it says what was wrong and what to do, and holds nothing secret.
 *
 * @example
 * throw new Problem('image_too_large', 'The image has 30 MB. Send at most 20 MB.', { members: { limit: 20_971_520 } });
 */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly members: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ProblemCode, detail: string, options: ProblemOptions = {}) {
    super(`${code}: ${detail}`, { cause: options.cause });
    this.name = 'Problem';
    this.code = code;
    ({ status: this.status, title: this.title } = PROBLEMS[code]);
    this.detail = detail;
    this.members = options.members ?? {};
    this.headers = options.headers ?? {};
  }
}

/** One thing wrong with a request: where, and what, as the rest of a sentence that begins with the field's name. */
export interface FieldError {
  readonly field: string;
  readonly message: string;
}

/** The request is malformed: every fault at once, each with its field. */
export function invalidRequest(errors: readonly FieldError[], cause?: unknown): Problem {
  const detail = errors.map(({ field, message }) => `${field} ${message}`).join('; ');
  return new Problem('invalid_request', `${detail}.`, { members: { errors }, cause });
}

/** The same about the body as a whole. */
export function invalidBody(message: string, cause?: unknown): Problem {
  return invalidRequest([{ field: 'body', message }], cause);
}
