import { Problem } from '../http/problem.ts';
import { invalidRequest } from '../http/invalid-request.ts';
import { decodeBase64, decodedLength } from './base64.ts';
import { imageTooLarge } from '../image/faults.ts';

/** `data:image/png;base64,` and its like; the type in it is not believed, so it may be any. RFC 2397. */
const DATA_URL = /^data:[^,;]*(?:;[^,;]*)*;base64,/i;
/** No media type that anybody writes is longer. */
const MAX_PREFIX_BYTES = 256;

/**
 * Decodes the image of a base64 data URL or, where `bare` allows it, of bare base64. Nothing is ever fetched.
 * @param field - where it stands in the request, for the caller to find it
 * @throws {Problem} `invalid_request`, `image_too_large` or `empty_image`
 */
export async function decodeImage(text: Buffer, field: string, maxImageBytes: number, bare: boolean): Promise<Buffer> {
  const start = text.toString('latin1', 0, MAX_PREFIX_BYTES);
  const prefix = DATA_URL.exec(start)?.[0];
  if (prefix === undefined && (!bare || /^[a-z][a-z\d+.-]*:/i.test(start))) {
    throw invalid(field, 'must be a data URL (data:image/png;base64,…); an address is not fetched on anybody’s behalf');
  }
  const base64 = withoutWhiteSpace(text.subarray(prefix?.length ?? 0));
  if (base64.length === 0) throw new Problem('empty_image', `${field} has no bytes. Send the image itself, as base64.`);
  if (decodedLength(base64) > maxImageBytes) throw imageTooLarge(maxImageBytes);
  const bytes = await decodeBase64(base64);
  if (!bytes) throw invalid(field, 'is not valid base64');
  return bytes;
}

/** Some encoders break lines at 76 characters, as MIME has it. */
function withoutWhiteSpace(base64: Buffer): Buffer {
  return base64.includes('\n') || base64.includes(' ')
    ? Buffer.from(base64.toString('latin1').replaceAll(/\s/g, ''), 'latin1')
    : base64;
}

function invalid(field: string, message: string): Problem {
  return invalidRequest([{ field, message }]);
}
