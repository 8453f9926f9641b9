import type { ExampleObject, ResponseObject, ResponsesObject } from 'openapi3-ts/oas31';
import { type ProblemCode, problemKind } from '../http/problem-catalogue.ts';
import { EVERYWHERE, headersOf, reference } from './components.ts';
import { asChatError, asProblem, nameOf, oneOfProblems, type ProblemFormat } from './problem-schemas.ts';
import { openAiError, problemBody } from '../http/problem-response.ts';
import { Problem } from '../http/problem.ts';

/**
 * Describes the responses with problems, one for each status.
 * @param codes - the problems of the route. By default, all that a question can get
 */
export function problemResponses(
  format: ProblemFormat,
  codes: readonly ProblemCode[] = format.codes.filter((code) => code !== 'not_found' && code !== 'job_not_found'),
): ResponsesObject {
  const byStatus = Map.groupBy(codes, (code) => problemKind(code).status);
  return Object.fromEntries([...byStatus].map(([status, those]) => [String(status), problemResponse(those, format)]));
}

function problemResponse(codes: readonly ProblemCode[], format: ProblemFormat): ResponseObject {
  const retryAfter = codes.some((code) => problemKind(code).retryAfter);
  const retryAdvice = format === asChatError ? ['x-should-retry'] : [];
  return {
    description: codes.map((code) => `\`${code}\`: ${problemKind(code).title}`).join('. '),
    headers: headersOf(...EVERYWHERE, 'server-timing', ...(retryAfter ? ['retry-after'] : []), ...retryAdvice),
    content: {
      [format.mediaType]: {
        schema: oneOfProblems(codes, format),
        examples: Object.fromEntries(codes.map((code) => [code, reference('examples', nameOf(code, format))])),
      },
    },
  };
}

const REQUEST_ID = '3f0c1f0a-6a0b-4a43-9f0e-0d6a7c1b2e55';

/** `components.examples`: every problem in each of its formats, made by the same code as real problems. */
export function problemExamples(): Record<string, ExampleObject> {
  return Object.fromEntries([
    ...asProblem.codes.map((code) => [nameOf(code, asProblem), example(code, problemBody)] as const),
    ...asChatError.codes.map((code) => [nameOf(code, asChatError), example(code, openAiError)] as const),
  ]);
}

function example(code: ProblemCode, toBody: (problem: Problem, requestId: string) => object): ExampleObject {
  const { detail, members = {} } = problemKind(code);
  const values = Object.fromEntries(Object.entries(members).map(([name, { examples }]) => [name, examples?.[0]]));
  const problem = new Problem(code, detail, { members: values });
  return { summary: problem.title, value: toBody(problem, REQUEST_ID) };
}
