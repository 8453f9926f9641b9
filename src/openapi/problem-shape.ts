import type { SchemaObject } from 'openapi3-ts/oas31';

/** Members of a problem by name; the first of a schema's `examples` is its value in the problem's example. */
export type Members = Readonly<Record<string, SchemaObject>>;

/** What one problem has beyond the members that all have. */
export interface ProblemShape {
  /** An example of the `detail`. */
  readonly detail: string;
  /** Members that are always there. */
  readonly members?: Members;
  /** Members that are there where they are known. */
  readonly optional?: Members;
  /** Whether a Retry-After header may come with it. */
  readonly retryAfter?: true;
}

/** A list of texts. */
export function texts(description: string, ...example: string[]): SchemaObject {
  return { type: 'array', items: { type: 'string' }, description, examples: [example] };
}

/** Members of problems that began with an answer of the model's. */
export const upstream: Members = {
  upstreamStatus: {
    type: 'integer',
    description: 'The status that the model answered with, or that an error event in its stream stands for',
  },
  upstreamRequestId: { type: ['string', 'null'], description: "Azure's id of the request, which its support asks for" },
};
