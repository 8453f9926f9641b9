import { TextDecoder } from 'node:util';
import { type FieldError, invalidRequest } from '../http/invalid-request.ts';
import type { Problem } from '../http/problem.ts';
import { inTurn } from '../http/turn.ts';
import { joinChunks } from './join-chunks.ts';
import type { BodyLimit } from './read-body.ts';

/** What a text has that says no charset. */
export const UTF_8 = 'utf-8';
/** Decoding takes well under a millisecond. */
const PIECE_BYTES = 64 * 1024;

/**
 * Decodes a text by its charset, whose name may be any that Node's TextDecoder knows: https://encoding.spec.whatwg.org/#names-and-labels
 * @param field - where the text stands in the request
 * @throws {Problem} `invalid_request` if the charset is not known, or the bytes are not text in it
 */
export function decodeText(bytes: Uint8Array, charset: string, field: string): string {
  const decoder = createDecoder(charset, field);
  try {
    return decoder.decode(bytes);
  } catch (error) {
    throw notInCharset(decoder.encoding, field, error);
  }
}

/**
 * Turns a body into UTF-8, if its charset is another. Bytes that are said to be UTF-8 are left as they are, and not checked.
 * @throws {Problem} as {@link decodeText} does, or the limit's own
 */
export async function toUtf8(body: Buffer, charset: string, limit: BodyLimit): Promise<Buffer> {
  const decoder = createDecoder(charset, 'body');
  if (decoder.encoding === UTF_8) return body;
  const chunks: Buffer[] = [];
  let length = 0;
  const decodeStep = (at: number): void => {
    const isLast = at + PIECE_BYTES >= body.length;
    const chunk = Buffer.from(decodePiece(decoder, body.subarray(at, at + PIECE_BYTES), isLast));
    chunks.push(chunk);
    length += chunk.length;
    if (length > limit.bytes) throw limit.exceeded();
  };
  for (let at = 0; at < body.length; at += PIECE_BYTES) await inTurn(() => decodeStep(at));
  return joinChunks(chunks);
}

/** A text whose bytes are not what its charset, or the lack of one, says. */
export function notInCharset(charset: string, field: string, cause?: unknown): Problem {
  const message =
    charset === UTF_8
      ? 'is not UTF-8 text. Send it as UTF-8, or add its charset to its Content-Type, such as "; charset=windows-1252"'
      : `is not text in ${charset}, which its Content-Type says it is. Send it as UTF-8`;
  return invalidRequest([{ field, message }], cause);
}

/** What to say of a text with half of a surrogate pair in it. No encoding has one, but JSON can escape one. */
export function loneSurrogate(field: string): FieldError {
  return {
    field,
    message:
      'has half of a surrogate pair (\\uD800 to \\uDFFF), which is not a character. Was a text cut in the midst of one?',
  };
}

function decodePiece(decoder: TextDecoder, piece: Buffer, isLast: boolean): string {
  try {
    return decoder.decode(piece, { stream: !isLast });
  } catch (error) {
    throw notInCharset(decoder.encoding, 'body', error);
  }
}

function createDecoder(charset: string, field: string): TextDecoder {
  try {
    return new TextDecoder(charset, { fatal: true });
  } catch (error) {
    const message = `has the charset "${charset}", which is not known here. Send it as UTF-8`;
    throw invalidRequest([{ field, message }], error);
  }
}
