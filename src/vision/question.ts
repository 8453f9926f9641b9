import * as z from 'zod/mini';
import { type FieldError, invalidRequest } from '../http/invalid-request.ts';
import { Problem } from '../problem.ts';

/** What is asked about the images, and how. */
export interface Question {
  readonly instructions: string;
  /** How closely the model looks, which is what an image costs: https://platform.openai.com/docs/guides/images-vision */
  readonly detail: 'auto' | 'low' | 'high';
  /** Tokens, reasoning included. */
  readonly maxTokens: number;
  /** A JSON Schema that the answer has to satisfy; not checked yet. */
  readonly schema?: unknown;
}

/** Upper limits of a question. */
export interface QuestionLimits {
  /** Characters. */
  readonly maxInstructions: number;
  /** Tokens; also what is asked for when the caller names no number, so that every answer has a bounded price. */
  readonly maxOutputTokens: number;
}

/** What a query says; whatever else stands in it, a function key for one, is somebody else's. */
export function questionFields(query: URLSearchParams): Record<string, string> {
  return Object.fromEntries(['instructions', 'detail', 'maxTokens'].flatMap((name) => (query.has(name) ? [[name, query.get(name) ?? '']] : [])));
}

/**
 * Reads a question from its fields, however they came.
 * @throws {Problem} `missing_instructions`, or `invalid_request` with every fault at once
 */
export type ParseQuestion = (fields: Readonly<Record<string, unknown>>) => Question;

/** Makes what reads questions within these limits; to be made once, since the schema behind it is not cheap to make. */
export function questionParser(limits: QuestionLimits): ParseQuestion {
  const schema = questionSchema(limits);
  return (fields) => {
    const { instructions = '' } = fields;
    if (typeof instructions === 'string' && !instructions.trim()) {
      throw new Problem('missing_instructions', 'Say what you want to know: add ?instructions=… to the URL, percent-encoded, or a field of that name.');
    }
    const { data, error } = schema.safeParse(fields);
    if (error) throw invalidRequest(error.issues.flatMap(fieldErrors));
    return { ...data, schema: typeof data.schema === 'string' ? parseSchema(data.schema) : data.schema };
  };
}

function questionSchema({ maxInstructions, maxOutputTokens }: QuestionLimits) {
  const range = { error: `must be a whole number from 1 to ${maxOutputTokens}` };
  const digits = z.string().check(z.regex(/^\d+$/));
  return z.strictObject({
    instructions: z.string('must be a text').check(z.maxLength(maxInstructions, `must have at most ${maxInstructions} characters`)),
    detail: z._default(z.enum(['auto', 'low', 'high'], { error: 'must be auto, low or high' }), 'auto'),
    maxTokens: z._default(
      z.pipe(z.pipe(z.union([z.number(), digits], range), z.transform(Number)), z.int(range).check(z.gte(1, range), z.lte(maxOutputTokens, range))),
      maxOutputTokens,
    ),
    schema: z.optional(z.unknown()),
  });
}

function fieldErrors(issue: z.core.$ZodIssue): FieldError[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.map((field) => ({ field, message: 'is not a field that is known here' }));
  return [{ field: issue.path.join('.'), message: issue.message }];
}

/** A part of a form is text, whatever it holds. */
function parseSchema(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalidRequest([{ field: 'schema', message: 'is not valid JSON' }]);
  }
}
