import { TextDecoder } from 'node:util';
import { type FieldError, invalidRequest, type Problem } from '../http/problem.ts';
import { inTurn } from '../http/turn.ts';
import { type BodyLimit, joinChunks } from './read-body.ts';

/** The charset of a text that names none. */
export const UTF_8 = 'utf-8';
/**
 * Bytes of text that are decoded in one step, in well under a millisecond. It is a multiple of 4, which is one group of
 * base64. V8 keeps strings above 128 KB apart from others, which costs 20 times as much.
 */
export const PIECE_BYTES = 64 * 1024;

/**
 * Decodes a text by its charset, which may be any that Node's TextDecoder knows: https://encoding.spec.whatwg.org/#names-and-labels
 * @param field - where the text stands in the request
 * @throws {Problem} `invalid_request` if the charset is not known, or the bytes are not valid in it
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
 * Converts a body to UTF-8. A body whose charset is UTF-8 is returned as it is, without a check.
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

/** The bytes of a text are not valid in its charset, or in UTF-8 if it names none. */
export function notInCharset(charset: string, field: string, cause?: unknown): Problem {
  const message =
    charset === UTF_8
      ? 'is not UTF-8 text. Send it as UTF-8, or add its charset to its Content-Type, such as "; charset=windows-1252"'
      : `is not text in ${charset}, which its Content-Type says it is. Send it as UTF-8`;
  return invalidRequest([{ field, message }], cause);
}

/** A text has half of a surrogate pair in it. No charset can encode that, but an escape in JSON can. */
export function loneSurrogate(field: string): FieldError {
  return {
    field,
    message:
      'has half of a surrogate pair (\\uD800 to \\uDFFF), which is not a character. Was the text cut within a character?',
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
