import * as z from 'zod/mini';
import { Problem } from '../problem.ts';

/** What is asked about the images, and how. */
export interface Question {
  readonly instructions: string;
  /** How closely the model looks, which is what an image costs: https://platform.openai.com/docs/guides/images-vision */
  readonly detail: 'auto' | 'low' | 'high';
  /** Tokens, reasoning included. */
  readonly maxTokens: number;
}

/** Upper limits of a question. */
export interface QuestionLimits {
  /** Characters. */
  readonly maxInstructions: number;
  /** Tokens; also what is asked for when the caller names no number, so that every answer has a bounded price. */
  readonly maxOutputTokens: number;
}

/**
 * Reads a question from its fields, however they came.
 * @throws {Problem} `missing_instructions`, or `invalid_request` with every fault at once
 */
export function parseQuestion(fields: Readonly<Record<string, string>>, limits: QuestionLimits): Question {
  if (!fields['instructions']?.trim()) {
    throw new Problem('missing_instructions', 'Say what you want to know: add ?instructions=… to the URL, percent-encoded.');
  }
  const parsed = questionSchema(limits).safeParse(fields);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.map(({ path, message }) => ({ field: path.join('.'), message }));
  throw new Problem('invalid_request', errors.map(({ field, message }) => `${field} ${message}`).join('; ') + '.', { members: { errors } });
}

function questionSchema({ maxInstructions, maxOutputTokens }: QuestionLimits) {
  const range = { error: `must be a whole number from 1 to ${maxOutputTokens}` };
  return z.object({
    instructions: z.string().check(z.maxLength(maxInstructions, `must have at most ${maxInstructions} characters`)),
    detail: z._default(z.enum(['auto', 'low', 'high'], { error: 'must be auto, low or high' }), 'auto'),
    maxTokens: z._default(z.coerce.number(range).check(z.int(range), z.gte(1, range), z.lte(maxOutputTokens, range)), maxOutputTokens),
  });
}
