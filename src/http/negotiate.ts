import Negotiator from 'negotiator';
import { Problem } from './problem.ts';

/** The available types. A caller without a preference gets the first one. */
const KINDS = ['text/plain', 'application/json', 'text/event-stream'] as const;

/** The MIME type of an answer. */
export type AnswerKind = (typeof KINDS)[number];

/** How much of an Accept header is read. Browsers send a few hundred characters, and reading 64 KB takes too long. */
const MAX_CHARACTERS = 1024;
/** A parameter of a media range, with or without a value. A quoted value may contain commas and semicolons. */
const PARAMETER = /;\s*([^\s=;,]*)(?:\s*=\s*("(?:[^"\\]|\\.)*"|[^;,]*))?/g;
/** A single `*`, which Java's HttpURLConnection sends although RFC 9110 does not allow it. */
const LONE_ASTERISK = /(?<=^|,)\s*\*\s*(?=[,;]|$)/g;

/**
 * Selects the type of the answer by an Accept header and its q-values (RFC 9110, section 12.5.1). All other parameters
 * are ignored, because a caller who accepts `application/json;odata=verbose` can read JSON.
 * @throws {Problem} `not_acceptable` if the header allows none of the available types
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
    `The Accept header allows none of the available types. Accept one of these: ${KINDS.join(', ')}.`,
    { members: { supported: KINDS } },
  );
}
