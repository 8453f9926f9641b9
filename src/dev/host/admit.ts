import type { IncomingMessage } from 'node:http';
import type { Route } from './route.ts';

/** Kestrel's MaxRequestLineSize and MaxRequestHeadersTotalSize, in bytes, line ends included. */
const MAX_REQUEST_LINE_BYTES = 8 * 1024;
const MAX_HEADERS_BYTES = 32 * 1024;

/** The status with which the web server under the real host refuses a request line or headers that are too long. */
export function refuseHead({ method, url, rawHeaders }: IncomingMessage): 414 | 431 | undefined {
  if (`${method} ${url} HTTP/1.1\r\n`.length > MAX_REQUEST_LINE_BYTES) return 414;
  // Each name has a colon and a space behind it, each value the line's end; an empty line follows.
  const bytes = rawHeaders.reduce((sum, text) => sum + text.length + '\r\n'.length, '\r\n'.length);
  return bytes > MAX_HEADERS_BYTES ? 431 : undefined;
}

/** Whether a request may call a function: only with the key, where its level asks for one. */
export function hasKey({ authLevel }: Route, { headers, url = '' }: IncomingMessage, key: string): boolean {
  if (authLevel === 'anonymous') return true;
  const code = new URLSearchParams(url.slice(url.indexOf('?') + 1)).get('code');
  return (headers['x-functions-key'] ?? code) === key;
}
