import { Problem } from './problem.ts';

/** The kinds of answer there are, the one for callers without a preference first. */
const KINDS = ['text/plain', 'application/json', 'text/event-stream'] as const;

/** With a charset too, since clients ask for it and a parameter in Accept would otherwise match nothing. */
const OFFERED = [...KINDS, ...KINDS.map((kind) => `${kind}; charset=utf-8`)];

/** A kind of answer, by its MIME type. */
export type AnswerKind = (typeof KINDS)[number];

/**
 * Picks the kind of answer by an Accept header, q-values honoured (RFC 9110, section 12.5.1). What reads it is loaded for
 * those who have a preference: most have none, and a cold start would take 4 ms longer.
 * @throws {Problem} `not_acceptable` when the header allows none of them
 */
export async function negotiate(accept: string | null): Promise<AnswerKind> {
  if (accept === null || accept === '*/*') return KINDS[0];
  const { default: Negotiator } = await import('negotiator');
  const preferred = new Negotiator({ headers: { accept } }).mediaType(OFFERED);
  const kind = KINDS.find((known) => preferred?.startsWith(known));
  if (kind) return kind;
  throw new Problem(
    'not_acceptable',
    `The Accept header allows none of the kinds of answer that there are: ${KINDS.join(', ')}.`,
    {
      members: { supported: KINDS },
    },
  );
}
