import { Problem } from './problem.ts';

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
