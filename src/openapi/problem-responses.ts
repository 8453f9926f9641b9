import type { ResponseObject, ResponsesObject } from 'openapi3-ts/oas31';
import { type ProblemCode, problemKind } from '../http/problem-catalogue.ts';
import { EVERYWHERE, headersOf } from './headers.ts';
import { oneOfProblems } from './problem-schemas.ts';
import { reference } from './reference.ts';
import { asChatError, nameOf, type Wording } from './wording.ts';

/** The responses that problems make, one for each status: those of a route, or all that a question can meet. */
export function problemResponses(
  wording: Wording,
  codes: readonly ProblemCode[] = wording.codes.filter((code) => code !== 'not_found' && code !== 'job_not_found'),
): ResponsesObject {
  const byStatus = Map.groupBy(codes, (code) => problemKind(code).status);
  return Object.fromEntries([...byStatus].map(([status, those]) => [String(status), problemResponse(those, wording)]));
}

function problemResponse(codes: readonly ProblemCode[], wording: Wording): ResponseObject {
  const retryAfter = codes.some((code) => problemKind(code).retryAfter);
  const retryAdvice = wording === asChatError ? ['x-should-retry'] : [];
  return {
    description: codes.map((code) => `\`${code}\`: ${problemKind(code).title}`).join('. '),
    headers: headersOf(...EVERYWHERE, 'server-timing', ...(retryAfter ? ['retry-after'] : []), ...retryAdvice),
    content: {
      [wording.mediaType]: {
        schema: oneOfProblems(codes, wording),
        examples: Object.fromEntries(codes.map((code) => [code, reference('examples', nameOf(code, wording))])),
      },
    },
  };
}
