import * as v from 'valibot';
import type { Limits } from '../config/limits.ts';
import { type FieldError, invalidRequest, Problem } from '../http/problem.ts';

/**
 * How closely the model looks, which decides what an image costs: https://platform.openai.com/docs/guides/images-vision
 * The default is `high`: at `auto`, gpt-5.6 does not scale an image, so a photo of 12 megapixels costs 11,970 tokens
 * instead of 2,500.
 */
const DETAILS = ['high', 'low', 'auto', 'original'] as const;

/** A question about images, with its options. */
export interface Question {
  readonly instructions: string;
  readonly detail: (typeof DETAILS)[number];
  /** Upper limit of the answer in tokens, including reasoning. */
  readonly maxTokens: number;
  /** A JSON Schema that the answer must satisfy; not checked yet. */
  readonly schema?: unknown;
}

/**
 * The limits of a question. The token limit is also the default of `maxTokens`, so that every answer has a bounded
 * price.
 */
export type QuestionLimits = Pick<Limits, 'maxInstructions' | 'maxOutputTokens'>;

/** Characters to show of an unknown field's name. */
const MAX_NAME_SHOWN = 100;

/** Names that callers give to each field, in lower case without `-`, `_`, `[` and `]`. Other APIs use some of them. */
const OTHER_NAMES: Readonly<Record<keyof Question, readonly string[]>> = {
  instructions: ['instructions', 'instruction', 'prompt', 'question', 'query', 'text', 'message'],
  detail: ['detail', 'details'],
  maxTokens: ['maxtokens', 'maxtoken', 'maxcompletiontokens', 'maxoutputtokens'],
  schema: ['schema', 'jsonschema', 'outputschema'],
};

/** Fields by name, from a query, a form or JSON. */
type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads a question from its fields, however they were sent. If several sources have a field, the last one counts. A
 * field that is null or empty counts as absent, because forms and many serializers send unset options that way.
 * @param ignored - names in the query that are not read as fields. If there are no instructions, the problem gives a
 * name among them that may stand for `instructions`
 * @throws {Problem} `missing_instructions`, or `invalid_request` with all faults at once
 */
export type ParseQuestion = (sources: readonly Fields[], ignored?: Iterable<string>) => Question;

/**
 * Creates the function that reads questions within these limits. Call it once, because its validator is costly to make.
 * @param beside - names of the fields that the route reads itself. A problem about an unknown field lists them, too
 */
export function questionParser(limits: QuestionLimits, beside: readonly string[]): ParseQuestion {
  const schema = questionSchema(limits);
  return (sources, ignored = []) => {
    const fields = present(sources);
    const unknown = Object.keys(fields).filter((field) => !Object.hasOwn(schema.entries, field));
    const { instructions = '' } = fields;
    if (typeof instructions === 'string' && !instructions.trim()) throw missingInstructions(unknown, ignored);
    const { success, output, issues = [] } = v.safeParse(schema, fields, { abortPipeEarly: true });
    if (!success || unknown.length > 0)
      throw invalidRequest([
        ...issues.map(fieldError),
        ...unknown.map((name) => unknownField(name, fields, [...Object.keys(schema.entries), ...beside])),
      ]);
    return { ...output, schema: typeof output.schema === 'string' ? parseSchema(output.schema) : output.schema };
  };
}

function present(sources: readonly Fields[]): Fields {
  const entries = sources.flatMap((fields) => Object.entries(fields));
  return Object.fromEntries(entries.filter(([, value]) => value !== null && value !== ''));
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
      v.string('must be a string'),
      v.check((text) => hasAtMost(maxInstructions, text), `must have at most ${maxInstructions} characters`),
    ),
    detail: v.optional(v.picklist(DETAILS, 'must be high, low, auto or original'), 'high'),
    maxTokens: v.optional(number, maxOutputTokens),
    schema: v.optional(v.unknown()),
  });
}

/** Counts code points, like `maxLength` in JSON Schema and openapi.json. A code point has up to two UTF-16 units. */
function hasAtMost(maxCodePoints: number, text: string): boolean {
  return text.length <= maxCodePoints || (text.length <= 2 * maxCodePoints && Array.from(text).length <= maxCodePoints);
}

function fieldError(issue: v.BaseIssue<unknown>): FieldError {
  return { field: v.getDotPath(issue) ?? '', message: issue.message };
}

function missingInstructions(unknown: readonly string[], ignored: Iterable<string>): Problem {
  const sent = [...unknown, ...ignored].find((name) => meantField(name) === 'instructions') ?? unknown[0];
  const advice = sent === undefined ? '' : ` You sent ${shown(sent)}, which is not a known field.${rename(sent)}`;
  return new Problem(
    'missing_instructions',
    `Say what you want to know: add ?instructions=… to the URL, percent-encoded, or a field of that name.${advice}`,
  );
}

function unknownField(name: string, fields: Fields, known: readonly string[]): FieldError {
  const isGiven = Object.hasOwn(fields, meantField(name) ?? '');
  const advice = isGiven ? '' : rename(name);
  return { field: shown(name), message: `is not a known field.${advice} Known fields: ${known.join(', ')}` };
}

function rename(name: string): string {
  const meant = meantField(name);
  return meant === undefined ? '' : ` Name it ${meant}.`;
}

/** Returns the field that a misspelt name may stand for. A very long name is not searched, because that takes long. */
function meantField(name: string): string | undefined {
  if (name.length > MAX_NAME_SHOWN || Object.hasOwn(OTHER_NAMES, name)) return undefined;
  const plain = name.toLowerCase().replaceAll(/[-_[\]]/g, '');
  return Object.entries(OTHER_NAMES).find(([, others]) => others.includes(plain))?.[0];
}

function shown(name: string): string {
  return name.length > MAX_NAME_SHOWN ? `${name.slice(0, MAX_NAME_SHOWN)}…` : name;
}

/** Parses the schema of a form, which arrives as text. */
function parseSchema(text: string): unknown {
  try {
    return JSON.parse(text, refuseLoneSurrogate);
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw invalidRequest([
      {
        field: 'schema',
        message: 'is not valid JSON. Send a JSON Schema object, such as {"type":"object","properties":{…}}',
      },
    ]);
  }
}

function refuseLoneSurrogate(name: string, value: unknown): unknown {
  if (!name.isWellFormed() || (typeof value === 'string' && !value.isWellFormed()))
    throw invalidRequest([{ field: 'schema', message: 'has half of a surrogate pair, which is not a character' }]);
  return value;
}
