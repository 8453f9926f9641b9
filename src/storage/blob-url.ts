import { Problem } from '../http/problem.ts';

/** A blob, or the blobs whose names begin with `name`, in a container that may be read. */
export interface BlobPlace {
  /** The container's URL, as IMAGE_CONTAINERS has it. */
  readonly container: string;
  /** Decoded. */
  readonly name: string;
}

/** Scheme and authority, and what follows. Other characters than these in an authority, such as `@` or `\`, match nothing. */
const PARTS = /^(https?:\/\/[\w.:[\]-]+)(\/.*)$/is;
/** Control characters, backslashes, and what begins a query or a fragment. */
const FORBIDDEN = /[\p{Cc}\\?#]/u;
/** Slashes, backslashes and control characters, percent-encoded. */
const DISGUISED = /%(?:2f|5c|[01][\da-f]|7f)/i;
const ENCODED_DOT = /%2e/gi;
/** https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata#blob-names */
const MAX_NAME = 1024;

/**
 * Finds a blob's place by its URL. Nothing is fetched; what this refuses costs no request to anywhere.
 *
 * The text is compared as it was written, not as a URL parser would mend it: what only becomes an allowed address by
 * mending is not one.
 *
 * @throws {Problem} `blob_not_allowed` unless it is the plain URL of a blob in one of these containers
 */
export function blobPlace(text: string, containers: readonly string[]): BlobPlace {
  const place = prefixPlace(text, containers);
  if (place.name === '') throw notAllowed('It names a container; name a blob in it.');
  return place;
}

/**
 * The same for the URL of a container, or of all blobs whose names begin with a prefix.
 * @throws {Problem} `blob_not_allowed`
 */
export function prefixPlace(text: string, containers: readonly string[]): BlobPlace {
  if (containers.length === 0)
    throw notAllowed('This app reads no blobs, because its setting IMAGE_CONTAINERS is empty.');
  const [, authority = '', path = ''] = PARTS.exec(text) ?? [];
  const url = authority.toLowerCase() + path;
  const container = containers.find((each) => url === each || url.startsWith(`${each}/`));
  if (container === undefined)
    throw notAllowed(
      'It is in none of the containers that IMAGE_CONTAINERS names. Compare scheme, account and container letter by letter.',
    );
  return { container, name: decodeName(url.slice(container.length + 1)) };
}

/** The URL of a blob, as results and messages show it. */
export function blobUrl({ container, name }: BlobPlace): string {
  return `${container}/${name.split('/').map(encodeURIComponent).join('/')}`;
}

function decodeName(encoded: string): string {
  const name = percentDecode(encoded);
  // What would become another name if somebody on the way decoded it once more is refused as well.
  if (FORBIDDEN.test(encoded) || DISGUISED.test(encoded) || DISGUISED.test(name))
    throw notAllowed(
      'It has a query, a fragment, or characters that a name must not have. Send it without a SAS, a snapshot or a version.',
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
    // Told below, as a lone surrogate is.
  }
  throw notAllowed('Its percent-encoding is not that of UTF-8 text.');
}

function notAllowed(why: string): Problem {
  return new Problem(
    'blob_not_allowed',
    `The blob may not be read. ${why} A blob is named by its plain URL, https://ACCOUNT.blob.core.windows.net/CONTAINER/NAME.`,
  );
}
