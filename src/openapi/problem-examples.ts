import type { ExampleObject } from 'openapi3-ts/oas31';
import { openAiError } from '../http/openai-error.ts';
import { problemBody } from '../http/problem-response.ts';
import { type ProblemCode, problemKind } from '../http/problem-catalogue.ts';
import { Problem } from '../http/problem.ts';
import { asChatError, asProblem, nameOf } from './wording.ts';

const REQUEST_ID = '3f0c1f0a-6a0b-4a43-9f0e-0d6a7c1b2e55';

/** `components.examples`: every problem in each of its wordings, made by the code that makes the real ones. */
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
