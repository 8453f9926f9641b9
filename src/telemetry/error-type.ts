import { CallerGone } from '../http/deadline.ts';
import { Problem } from '../http/problem.ts';

/** What something failed with, as `error.type` has it: the problem's code, and never its words. Undefined for no error. */
export function errorType(error: unknown): string | undefined {
  if (error === undefined) return undefined;
  if (error instanceof CallerGone) return 'caller_gone';
  return error instanceof Problem ? error.code : 'internal_error';
}
