import type { IncomingHttpHeaders } from 'node:http';

/** Seconds a browser may keep the answer to a preflight. Chromium keeps none longer than two hours. */
const MAX_AGE_SECONDS = '7200';

/**
 * Headers that a page on another origin may read besides the few that every browser shows it.
 * https://fetch.spec.whatwg.org/#http-access-control-expose-headers
 */
export const EXPOSED_HEADERS = 'x-request-id, retry-after, x-should-retry, server-timing, location';

/** What cross-origin resource sharing adds to one answer. */
export interface CorsAnswer {
  readonly headers: Readonly<Record<string, string>>;
  /** Whether the browser only asks for permission. Answer 204 with these headers, and ask for no key: it sends none. */
  readonly isPreflight: boolean;
}

/** Says what a request's answer gets. */
export type Cors = (request: {
  readonly method?: string | undefined;
  readonly headers: IncomingHttpHeaders;
}) => CorsAnswer;

/**
 * Cross-origin resource sharing for a server that does it itself. In Azure the platform does it.
 *
 * Names of headers and methods are allowed as asked for: what a route takes is the route's business, and a page that is
 * not allowed to read answers learns nothing from it. Cookies are never allowed, since no route reads one.
 *
 * @param setting - `CORS_ALLOWED_ORIGINS`: origins with commas between, or `*` for any; none if it is blank
 * @throws {Error} that names what is not an origin
 * @example
 * const cors = createCors('https://app.example');
 * cors({ method: 'GET', headers: { origin: 'https://app.example' } }).headers['access-control-allow-origin'];
 */
export function createCors(setting: string | undefined): Cors {
  const origins = new Set((setting ?? '').split(',').flatMap((origin) => origin.trim() || []));
  const wrong = [...origins].filter((origin) => origin !== '*' && !isOrigin(origin));
  if (wrong.length > 0) {
    throw new Error(
      `CORS_ALLOWED_ORIGINS must be * or origins with commas between, such as https://app.example (no path, no slash at the end, lower case); ${wrong.join(', ')} is none.`,
    );
  }
  if (origins.size === 0) return () => ({ headers: {}, isPreflight: false });

  const any = origins.has('*');
  return ({ method, headers }) => {
    const { origin } = headers;
    // A cache must not give one origin's answer to another.
    const vary = any ? {} : { vary: 'origin' };
    const isPreflight = method === 'OPTIONS' && origin !== undefined && 'access-control-request-method' in headers;
    if (origin === undefined || !(any || origins.has(origin))) return { headers: vary, isPreflight };
    const allowed = { ...vary, 'access-control-allow-origin': any ? '*' : origin };
    return { headers: isPreflight ? { ...allowed, ...permission(headers) } : allowed, isPreflight };
  };
}

/** As a browser writes it; `https://*.example` is none. */
function isOrigin(text: string): boolean {
  return URL.parse(text)?.origin === text && !text.includes('*');
}

function permission(headers: IncomingHttpHeaders): Record<string, string> {
  const { 'access-control-request-headers': names, 'access-control-request-method': method } = headers;
  return {
    ...(method ? { 'access-control-allow-methods': method } : {}),
    ...(names ? { 'access-control-allow-headers': names } : {}),
    'access-control-max-age': MAX_AGE_SECONDS,
  };
}
