/** Status and title of every problem this service answers with; the codes are a contract and never change meaning. */
export const PROBLEMS = {
  missing_instructions: [400, 'Instructions are missing'],
  invalid_request: [400, 'The request is not valid'],
  empty_image: [400, 'There is no image'],
  too_many_images: [400, 'Too many images'],
  not_found: [404, 'There is no such route'],
  method_not_allowed: [405, 'The route does not take this method'],
  not_acceptable: [406, 'No acceptable kind of answer'],
  request_timeout: [408, 'The request did not arrive in time'],
  body_too_large: [413, 'The request body is too large'],
  image_too_large: [413, 'The image is too large'],
  unsupported_image_type: [415, 'Not a supported image'],
  unsupported_encoding: [415, 'The body is sent under an encoding that is not supported'],
  animated_image: [415, 'The image is animated'],
  corrupt_image: [422, 'The image is damaged'],
  content_filtered: [422, 'Stopped by the content filter'],
  image_rejected: [422, 'The model rejected the image'],
  answer_incomplete: [422, 'The answer is incomplete'],
  rate_limited: [429, 'The model is busy'],
  misconfigured: [500, 'The service is misconfigured'],
  internal_error: [500, 'Something went wrong here'],
  model_access_denied: [502, 'The model denied access'],
  deployment_not_found: [502, 'The deployment was not found'],
  upstream_error: [502, 'The model failed'],
  identity_unavailable: [503, 'No identity to call the model with'],
  overloaded: [503, 'The service is full'],
  upstream_timeout: [504, 'The model did not answer in time'],
} as const satisfies Record<string, readonly [status: number, title: string]>;

/** The stable name of a problem, for programs to tell them apart by. */
export type ProblemCode = keyof typeof PROBLEMS;

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
    [this.status, this.title] = PROBLEMS[code];
    this.detail = detail;
    this.members = options.members ?? {};
    this.headers = options.headers ?? {};
  }
}
