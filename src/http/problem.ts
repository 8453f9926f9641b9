import { MAX_ERRORS, type ProblemCode, PROBLEMS } from './problem-catalogue.ts';

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

/** Characters to show of a text that the caller chose. Few fields have a longer path, but it can have megabytes. */
const MAX_SHOWN = 200;

/** Collects the faults of a request. It keeps only those that the problem lists, and counts the others. */
export class Faults {
  readonly #errors: FieldError[] = [];
  #count = 0;

  /** @param make - describes the fault. It is called only if the problem lists the fault */
  add(make: () => FieldError): void {
    if (this.#count < MAX_ERRORS) {
      const { field, message } = make();
      this.#errors.push({ field: shorten(field), message });
    }
    this.#count += 1;
  }

  /** Whether there are none. */
  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** Makes the problem of a malformed request, with its first faults and the number of the others. */
  toProblem(cause?: unknown): Problem {
    const errors = this.#errors;
    const more = this.#count - errors.length;
    const rest = more > 0 ? `; and ${more.toLocaleString('en')} more ${more === 1 ? 'fault' : 'faults'}` : '';
    const detail = errors.map(({ field, message }) => `${field} ${message}`).join('; ');
    return new Problem('invalid_request', `${detail}${rest}.`, { members: { errors }, cause });
  }
}

/** Makes the problem of a malformed request. See {@link Faults.toProblem}. */
export function invalidRequest(errors: readonly FieldError[], cause?: unknown): Problem {
  const faults = new Faults();
  for (const error of errors) faults.add(() => error);
  return faults.toProblem(cause);
}

/** Shortens a text that the caller chose, so that a problem can show it. */
export function shorten(text: string): string {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN).toWellFormed()}…` : text;
}

/** Makes the problem of a malformed body, if no single field is at fault. */
export function invalidBody(message: string, cause?: unknown): Problem {
  return invalidRequest([{ field: 'body', message }], cause);
}
