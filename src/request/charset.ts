import { TextDecoder } from 'node:util';
import { type FieldError, invalidRequest, type Problem, shorten } from '../http/problem.ts';
import { runStep } from '../http/event-loop.ts';
import { type BodyLimit, joinChunks } from './read-body.ts';

/** The charset of text that does not name one. */
export const UTF_8 = 'utf-8';
/**
 * Bytes of text to decode in one step, which takes well under a millisecond. It is a multiple of 4, the length of one
 * base64 group. V8 puts strings above 128 KB into its large object space, which costs 20 times as much.
 */
export const PIECE_BYTES = 64 * 1024;

/**
 * Decodes text. The charset may be any that Node's TextDecoder knows:
 * https://encoding.spec.whatwg.org/#names-and-labels
 * @param field - the field to name in the problem
 * @throws {Problem} `invalid_request` if the charset is unknown, or the bytes are not valid in it
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
 * Converts a body to UTF-8. A UTF-8 body is returned unchanged and unchecked.
 * @throws {Problem} like {@link decodeText}, or the limit's problem if the converted body is too large
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
  for (let at = 0; at < body.length; at += PIECE_BYTES) await runStep(() => decodeStep(at));
  return joinChunks(chunks);
}

/** Makes the problem for text whose bytes are not valid in its charset, which is UTF-8 if it does not name one. */
export function notInCharset(charset: string, field: string, cause?: unknown): Problem {
  const message =
    charset === UTF_8
      ? 'is not UTF-8 text. Send it as UTF-8, or add its charset to its Content-Type, such as "; charset=windows-1252"'
      : `is not text in ${charset}, which its Content-Type says it is. Send it as UTF-8`;
  return invalidRequest([{ field, message }], cause);
}

/** Makes the error for half of a surrogate pair. No charset can encode it, but a JSON escape such as `\uD800` can. */
export function loneSurrogate(field: string): FieldError {
  return {
    field,
    message:
      'has half of a surrogate pair (\\uD800 to \\uDFFF), which is not a character. Was the text cut within a ' +
      'character?',
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
    const message = `has the charset "${shorten(charset)}", which is not supported. Send it as UTF-8`;
    throw invalidRequest([{ field, message }], error);
  }
}
