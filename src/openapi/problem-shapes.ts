import type { ProblemCode } from '../http/problem.ts';
import { identityProblems } from './identity-problems.ts';
import type { ProblemShape } from './problem-shape.ts';
import { requestProblems } from './request-problems.ts';
import { upstreamProblems } from './upstream-problems.ts';

/** Every problem there is. A code that is added to the contract and not here is an error of types. */
export const problemShapes: Readonly<Record<ProblemCode, ProblemShape>> = {
  ...requestProblems,
  ...identityProblems,
  ...upstreamProblems,
};
