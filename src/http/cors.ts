import type { IncomingHttpHeaders } from 'node:http';

/** How long a browser may cache the answer to a preflight. Chromium caches it for at most two hours. */
const MAX_AGE_SECONDS = '7200';

/**
 * Headers that a page on another origin may read, in addition to those that browsers always allow.
 * https://fetch.spec.whatwg.org/#http-access-control-expose-headers
 */
export const EXPOSED_HEADERS = 'x-request-id, retry-after, x-should-retry, server-timing, location';

/** What CORS means for one response. */
export interface CorsAnswer {
  /** Headers to add. */
  readonly headers: Readonly<Record<string, string>>;
  /** Whether the browser only asks for permission. Answer 204 with these headers, and require no key: it sends none. */
  readonly isPreflight: boolean;
}

/** Decides what CORS means for the response to a request. */
export type Cors = (request: {
  readonly method?: string | undefined;
  readonly headers: IncomingHttpHeaders;
}) => CorsAnswer;

/**
 * Cross-origin resource sharing (CORS) for a server without a platform that does it. In Azure, the platform does it.
 *
 * A preflight gets permission for any method and header: the route decides what it accepts, and a page of an origin
 * that is not allowed gets no permission. Cookies are never allowed, because no route reads one.
 *
 * @param setting - `CORS_ALLOWED_ORIGINS`: comma-separated origins, or `*` for any. If it is blank, none is allowed.
 * @throws {Error} if the setting contains something that is not an origin
 * @example
 * const cors = createCors('https://app.example');
 * cors({ method: 'GET', headers: { origin: 'https://app.example' } }).headers['access-control-allow-origin'];
 */
export function createCors(setting: string | undefined): Cors {
  const origins = new Set((setting ?? '').split(',').flatMap((origin) => origin.trim() || []));
  const wrong = [...origins].filter((origin) => origin !== '*' && !isOrigin(origin));
  if (wrong.length > 0) {
    throw new Error(
      'CORS_ALLOWED_ORIGINS must be * or comma-separated origins, such as https://app.example ' +
        `(no path, no slash at the end, lower case). Not an origin: ${wrong.join(', ')}.`,
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

/** Whether a text is an origin, written as browsers write it. `https://*.example` is not an origin. */
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
