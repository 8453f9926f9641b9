import Negotiator from 'negotiator';
import { Problem } from './problem.ts';

/** The kinds of answer there are. The first is for callers without a preference. */
const KINDS = ['text/plain', 'application/json', 'text/event-stream'] as const;

/** A kind of answer, by its MIME type. */
export type AnswerKind = (typeof KINDS)[number];

/** So much of an Accept header is read. Browsers send a few hundred characters, and reading 64 KB takes too long. */
const MAX_CHARACTERS = 1024;
/** A parameter of a media range, with its value if it has one. A quoted value may hold commas and semicolons. */
const PARAMETER = /;\s*([^\s=;,]*)(?:\s*=\s*("(?:[^"\\]|\\.)*"|[^;,]*))?/g;
/** Java's HttpURLConnection sends `*` where RFC 9110 has `*` + `/*`. */
const LONE_ASTERISK = /(?<=^|,)\s*\*\s*(?=[,;]|$)/g;

/**
 * Picks the kind of answer by an Accept header and its q-values (RFC 9110, section 12.5.1). Every other parameter is
 * ignored: a caller who asks for `application/json;odata=verbose` can read JSON.
 * @throws {Problem} `not_acceptable` if the header allows no kind of answer
 */
export function negotiate(accept: string | null): AnswerKind {
  if (!accept?.trim()) return KINDS[0];
  const ranges = accept
    .slice(0, MAX_CHARACTERS)
    .replaceAll(PARAMETER, (parameter, name: string) => (name.toLowerCase() === 'q' ? parameter : ''))
    .replaceAll(LONE_ASTERISK, '*/*');
  const preferred = new Negotiator({ headers: { accept: ranges } }).mediaType([...KINDS]);
  const kind = KINDS.find((known) => known === preferred);
  if (kind) return kind;
  throw new Problem(
    'not_acceptable',
    `The Accept header allows none of the kinds of answer there are. Accept one of these: ${KINDS.join(', ')}.`,
    { members: { supported: KINDS } },
  );
}
