import { type ProblemCode, PROBLEMS } from './problem-catalogue.ts';

/** What a problem may have in addition to its code and detail. */
export interface ProblemOptions {
  /** Members that its code adds to the problem document, such as `limit` or `errors`. */
  readonly members?: Readonly<Record<string, unknown>>;
  /** Response headers, such as `retry-after`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The original error. The caller never sees it. */
  readonly cause?: unknown;
}

/**
 * An error that ends a request, at any stage. The caller reads `detail`, so it says what is wrong and what to do, and
 * contains no secret.
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

/** One fault of a request. */
export interface FieldError {
  readonly field: string;
  /** What is wrong, as the rest of a sentence that starts with the field's name. */
  readonly message: string;
}

/** Makes the problem of a malformed request, with all its faults. */
export function invalidRequest(errors: readonly FieldError[], cause?: unknown): Problem {
  const detail = errors.map(({ field, message }) => `${field} ${message}`).join('; ');
  return new Problem('invalid_request', `${detail}.`, { members: { errors }, cause });
}

/** Makes the problem of a malformed body, if no single field is at fault. */
export function invalidBody(message: string, cause?: unknown): Problem {
  return invalidRequest([{ field: 'body', message }], cause);
}
