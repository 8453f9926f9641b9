import { type ProblemCode, PROBLEMS } from '../http/problem-catalogue.ts';

/** The two ways in which routes word their problems. */
export interface Wording {
  readonly mediaType: string;
  /** Ends the names of its schemas and examples. */
  readonly suffix: string;
  /** The codes that can be worded so. */
  readonly codes: readonly ProblemCode[];
}

/** Answers to requests that no route takes, so no route can describe them. */
const UNROUTED = new Set<ProblemCode>(['not_found', 'method_not_allowed']);

/** Said by a server that checks the callers itself: `security.ts` describes them. */
const OF_CALLERS = new Set<ProblemCode>(['unauthenticated', 'caller_not_allowed']);

/** Said of jobs, which describe them. */
const OF_JOBS = new Set<ProblemCode>(['job_not_found']);

const ALL = Object.keys(PROBLEMS)
  .filter((key): key is ProblemCode => key in PROBLEMS)
  .filter((code) => !UNROUTED.has(code) && !OF_CALLERS.has(code) && !OF_JOBS.has(code));

/** /chat/completions knows no instructions, no kinds of answer to choose from and no blobs, and leaves schemas to the model. */
const NOT_IN_CHAT = new Set<ProblemCode>([
  'missing_instructions',
  'not_acceptable',
  'answer_incomplete',
  'blob_not_allowed',
  'blob_not_found',
  'storage_access_denied',
  'storage_error',
]);

/** Problem documents: RFC 9457. */
export const asProblem: Wording = {
  mediaType: 'application/problem+json',
  suffix: 'Problem',
  codes: [...ALL, ...OF_JOBS],
};

/** OpenAI's error shape. A model can be missing, too. */
export const asChatError: Wording = {
  mediaType: 'application/json',
  suffix: 'ChatError',
  codes: [...ALL.filter((code) => !NOT_IN_CHAT.has(code)), 'not_found'],
};

/** What schema and example of a problem are called: `CorruptImageProblem`. */
export function nameOf(code: ProblemCode, { suffix }: Wording): string {
  return code.replaceAll(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase()) + suffix;
}
