import * as v from 'valibot';
import type { Limits } from '../config/limits.ts';
import { Faults, type FieldError, invalidRequest, Problem, shorten } from '../http/problem.ts';

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

/**
 * Characters of a name, and number of unknown fields, to search for a field that they may stand for. No client sends
 * more, and the search through all that a body can have would hold up other requests.
 */
const MAX_NAME_SEARCHED = 100;
const MAX_FIELDS_SEARCHED = 100;
/** Characters of a schema that is sent as text. The service takes fewer, and the rest is room for white space. */
const MAX_SCHEMA_CHARACTERS = 512 * 1024;
/** Members and items of such a schema. Parsing so many blocks the event loop for a few milliseconds. */
const MAX_SCHEMA_MEMBERS = 50_000;
const STRUCTURE: ReadonlySet<number> = new Set(Array.from(',:[{', (character) => character.charCodeAt(0)));

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

/** What problems say about the route that takes the question. */
export interface RouteWords {
  /** Names of the fields that the route reads itself. A problem about an unknown field lists them, too. */
  readonly beside: readonly string[];
  /** How to send instructions to the route, as the rest of a sentence: `add instructions to …`. */
  readonly addInstructions: string;
}

/**
 * Creates the function that reads questions within these limits. Call it once, because its validator is costly to make.
 */
export function questionParser(limits: QuestionLimits, { beside, addInstructions }: RouteWords): ParseQuestion {
  const schema = questionSchema(limits);
  const names = Object.keys(schema.entries);
  return (sources, ignored = []) => {
    const fields = Object.fromEntries(names.flatMap((name) => given(name, sources)));
    const unknown = sources.flatMap((source) =>
      Object.keys(source).filter((name) => !Object.hasOwn(schema.entries, name) && isPresent(source[name])),
    );
    const { instructions = '' } = fields;
    if (typeof instructions === 'string' && !instructions.trim())
      throw missingInstructions(unknown, ignored, addInstructions);
    const { success, output, issues = [] } = v.safeParse(schema, fields, { abortPipeEarly: true });
    const faults = new Faults();
    for (const issue of issues) faults.add(() => fieldError(issue));
    for (const name of unknown) faults.add(() => unknownField(name, fields, [...names, ...beside]));
    if (!success || !faults.isEmpty) throw faults.toProblem();
    return { ...output, schema: typeof output.schema === 'string' ? parseSchema(output.schema) : output.schema };
  };
}

/** Returns the entry of a field from the last source that has it. */
function given(name: string, sources: readonly Fields[]): [string, unknown][] {
  const source = sources.findLast((fields) => Object.hasOwn(fields, name) && isPresent(fields[name]));
  return source ? [[name, source[name]]] : [];
}

function isPresent(value: unknown): boolean {
  return value !== null && value !== '';
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

function missingInstructions(unknown: readonly string[], ignored: Iterable<string>, add: string): Problem {
  const names = [...unknown.slice(0, MAX_FIELDS_SEARCHED), ...ignored];
  const sent = names.find((name) => meantField(name) === 'instructions') ?? unknown[0];
  const advice = sent === undefined ? '' : ` You sent ${shorten(sent)}, which is not a known field.${rename(sent)}`;
  return new Problem('missing_instructions', `Say what you want to know: ${add}.${advice}`);
}

function unknownField(name: string, fields: Fields, known: readonly string[]): FieldError {
  const isGiven = Object.hasOwn(fields, meantField(name) ?? '');
  const advice = isGiven ? '' : rename(name);
  return { field: name, message: `is not a known field.${advice} Known fields: ${known.join(', ')}` };
}

function rename(name: string): string {
  const meant = meantField(name);
  return meant === undefined ? '' : ` Name it ${meant}.`;
}

/** Returns the field that a misspelt name may stand for. A very long name is not searched, because that takes long. */
function meantField(name: string): string | undefined {
  if (name.length > MAX_NAME_SEARCHED || Object.hasOwn(OTHER_NAMES, name)) return undefined;
  const plain = name.toLowerCase().replaceAll(/[-_[\]]/g, '');
  return Object.entries(OTHER_NAMES).find(([, others]) => others.includes(plain))?.[0];
}

/** Parses a schema that arrives as text, as it does in a form. */
function parseSchema(text: string): unknown {
  if (text.length > MAX_SCHEMA_CHARACTERS) throw invalidSchema(`has more than ${MAX_SCHEMA_CHARACTERS} characters`);
  if (countMembers(text) > MAX_SCHEMA_MEMBERS)
    throw invalidSchema(`has more than ${MAX_SCHEMA_MEMBERS} members and items`);
  try {
    return JSON.parse(text);
  } catch {
    throw invalidSchema('is not valid JSON. Send a JSON Schema object, such as {"type":"object","properties":{…}}');
  }
}

/** Counts commas, colons and opening brackets, so also those in strings. It stops above the limit. */
function countMembers(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length && count <= MAX_SCHEMA_MEMBERS; at += 1) {
    if (STRUCTURE.has(text.charCodeAt(at))) count += 1;
  }
  return count;
}

function invalidSchema(message: string): Problem {
  return invalidRequest([{ field: 'schema', message }]);
}
