import { Problem } from '../http/problem.ts';

/** A blob in a container that may be read, or all blobs whose names begin with `name`. */
export interface BlobPlace {
  /** The container's URL, as written in IMAGE_CONTAINERS. */
  readonly container: string;
  /** The blob's name, or the prefix, without percent-encoding. */
  readonly name: string;
}

/**
 * Splits a URL into scheme with authority, and path. An authority with other characters, such as `@` or `\`, does not
 * match.
 */
const PARTS = /^(https?:\/\/[\w.:[\]-]+)(\/.*)$/is;
/** Control characters, backslashes, and the start of a query or a fragment. */
const FORBIDDEN = /[\p{Cc}\\?#]/u;
/** Percent-encoded slashes, backslashes and control characters. */
const DISGUISED = /%(?:2f|5c|[01][\da-f]|7f)/i;
const ENCODED_DOT = /%2e/gi;
/**
 * https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata#blob-names
 */
const MAX_NAME = 1024;

/**
 * Finds the container and the name of a blob by its URL, without any request.
 *
 * It compares the URL as written, because a URL parser would repair it. A URL that is allowed only after a repair is
 * refused.
 *
 * @throws {Problem} `blob_not_allowed` unless the text is the plain URL of a blob in one of these containers
 */
export function blobPlace(text: string, containers: readonly string[]): BlobPlace {
  const place = prefixPlace(text, containers);
  if (place.name === '') throw notAllowed('It names a container; name a blob in it.');
  return place;
}

/**
 * Does the same as {@link blobPlace} for the URL of a container, or of a prefix of blob names in it.
 * @throws {Problem} `blob_not_allowed` unless the text is such a URL in one of these containers
 */
export function prefixPlace(text: string, containers: readonly string[]): BlobPlace {
  if (containers.length === 0)
    throw notAllowed('This app reads no blobs, because its setting IMAGE_CONTAINERS is empty.');
  const [, authority = '', path = ''] = PARTS.exec(text) ?? [];
  const url = authority.toLowerCase() + path;
  const container = containers.find((each) => url === each || url.startsWith(`${each}/`));
  if (container === undefined)
    throw notAllowed(
      'It is in none of the containers that IMAGE_CONTAINERS names. Compare scheme, account and container ' +
        'letter by letter.',
    );
  return { container, name: decodeName(url.slice(container.length + 1)) };
}

/** Returns the URL of a blob, as results and messages show it. */
export function blobUrl({ container, name }: BlobPlace): string {
  return `${container}/${name.split('/').map(encodeURIComponent).join('/')}`;
}

function decodeName(encoded: string): string {
  const name = percentDecode(encoded);
  // Also refuse a name that would change if a proxy decoded it once more.
  if (FORBIDDEN.test(encoded) || DISGUISED.test(encoded) || DISGUISED.test(name))
    throw notAllowed(
      'It has a query, a fragment, or characters that a name must not have. Send it without a SAS, a snapshot ' +
        'or a version.',
    );
  if (name.length > MAX_NAME) throw notAllowed(`Its name has more than ${MAX_NAME} characters.`);
  const segments = name.replaceAll(ENCODED_DOT, '.').split('/');
  if (segments.some((segment) => segment === '.' || segment === '..')) throw notAllowed('It has a dot segment.');
  if (segments.slice(0, -1).includes('')) throw notAllowed('It has two slashes side by side.');
  return name;
}

function percentDecode(encoded: string): string {
  try {
    if (encoded.isWellFormed()) return decodeURIComponent(encoded);
  } catch {
    // The problem is thrown below. It is the same for a lone surrogate.
  }
  throw notAllowed('Its percent-encoding is not valid UTF-8.');
}

function notAllowed(why: string): Problem {
  return new Problem(
    'blob_not_allowed',
    `The blob may not be read. ${why} A blob is named by its plain URL, ` +
      'https://ACCOUNT.blob.core.windows.net/CONTAINER/NAME.',
  );
}
