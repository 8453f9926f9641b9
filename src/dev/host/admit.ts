import type { IncomingMessage } from 'node:http';
import type { Route } from './route.ts';

/** Kestrel's MaxRequestLineSize and MaxRequestHeadersTotalSize, in bytes, including line ends. */
const MAX_REQUEST_LINE_BYTES = 8 * 1024;
const MAX_HEADERS_BYTES = 32 * 1024;

/** Returns the status with which the real host's web server refuses a request line or headers that are too long. */
export function refuseHead({ method, url, rawHeaders }: IncomingMessage): 414 | 431 | undefined {
  if (`${method} ${url} HTTP/1.1\r\n`.length > MAX_REQUEST_LINE_BYTES) return 414;
  // A colon and a space follow each name, a line break each value, and an empty line the last header.
  const bytes = rawHeaders.reduce((sum, text) => sum + text.length + '\r\n'.length, '\r\n'.length);
  return bytes > MAX_HEADERS_BYTES ? 431 : undefined;
}

/** Returns whether a request may call a function: it needs the key unless the function is anonymous. */
export function hasKey({ authLevel }: Route, { headers, url = '' }: IncomingMessage, key: string): boolean {
  if (authLevel === 'anonymous') return true;
  const code = new URLSearchParams(url.slice(url.indexOf('?') + 1)).get('code');
  return (headers['x-functions-key'] ?? code) === key;
}
