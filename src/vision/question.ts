import * as v from 'valibot';
import { type FieldError, invalidRequest } from '../http/invalid-request.ts';
import { Problem } from '../http/problem.ts';

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
  return Object.fromEntries(
    ['instructions', 'detail', 'maxTokens'].flatMap((name) => (query.has(name) ? [[name, query.get(name) ?? '']] : [])),
  );
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
      throw new Problem(
        'missing_instructions',
        'Say what you want to know: add ?instructions=… to the URL, percent-encoded, or a field of that name.',
      );
    }
    const { success, output, issues = [] } = v.safeParse(schema, fields, { abortPipeEarly: true });
    const unknown = Object.keys(fields).filter((field) => !Object.hasOwn(schema.entries, field));
    if (!success || unknown.length > 0) throw invalidRequest([...issues.map(fieldError), ...unknown.map(unknownField)]);
    return { ...output, schema: typeof output.schema === 'string' ? parseSchema(output.schema) : output.schema };
  };
}

function questionSchema({ maxInstructions, maxOutputTokens }: QuestionLimits) {
  const range = `must be a whole number from 1 to ${maxOutputTokens}`;
  const digits = v.pipe(v.string(), v.regex(/^\d+$/, range));
  const number = v.pipe(
    v.union([v.number(), digits], range),
    v.transform(Number),
    v.integer(range),
    v.minValue(1, range),
    v.maxValue(maxOutputTokens, range),
  );
  return v.object({
    instructions: v.pipe(
      v.string('must be a text'),
      v.maxLength(maxInstructions, `must have at most ${maxInstructions} characters`),
    ),
    detail: v.optional(v.picklist(['auto', 'low', 'high'], 'must be auto, low or high'), 'auto'),
    maxTokens: v.optional(number, maxOutputTokens),
    schema: v.optional(v.unknown()),
  });
}

function fieldError(issue: v.BaseIssue<unknown>): FieldError {
  return { field: v.getDotPath(issue) ?? '', message: issue.message };
}

function unknownField(field: string): FieldError {
  return { field, message: 'is not a field that is known here' };
}

/** A part of a form is text, whatever it holds. */
function parseSchema(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalidRequest([{ field: 'schema', message: 'is not valid JSON' }]);
  }
}
