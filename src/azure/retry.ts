// The SDK does the retries; the setting UPSTREAM_MAX_RETRIES (config/settings.ts) says how many.

/** The SDK ignores a longer Retry-After and retries after 0.4 s, which makes a storm of retries. */
const SDK_MAX_RETRY_AFTER_MS = 60_000;
/** The SDK's back-off: 0.5 s, doubled for each retry, at most 8 s. */
const FIRST_BACK_OFF_MS = 500;
const MAX_BACK_OFF_MS = 8_000;

/**
 * Tells the SDK with a header not to retry if the service requires a longer wait than the SDK supports, or than the
 * request has time for. The caller then gets the error and its Retry-After at once.
 * @param remainingMs - milliseconds until the deadline of the request
 */
export function forbidHopelessRetry(response: Response, requestHeaders: Headers, remainingMs: number): Response {
  if (response.ok) return response;
  const wait = retryAfterMs(response.headers) ?? backOffMs(requestHeaders);
  if (wait > SDK_MAX_RETRY_AFTER_MS || wait >= remainingMs) response.headers.set('x-should-retry', 'false');
  return response;
}

/** Reads how long to wait, in milliseconds, from `retry-after-ms`, or from `retry-after` in seconds or as a date. */
export function retryAfterMs(headers: Headers): number | undefined {
  const milliseconds = Number.parseFloat(headers.get('retry-after-ms') ?? '');
  if (milliseconds >= 0) return milliseconds;
  const after = headers.get('retry-after') ?? '';
  const wait = /^\s*[\d.]+\s*$/.test(after) ? Number(after) * 1000 : Date.parse(after) - Date.now();
  return Number.isNaN(wait) ? undefined : Math.max(0, wait);
}

/** Reads a wait from a gateway's message, in seconds: "Try again in 23 seconds", or "replenished in 00:10:00". */
export function retryAfterInWords(message: string): number | undefined {
  const [, hours, minutes, rest] = /\bin (\d+):(\d\d):(\d\d)/.exec(message) ?? [];
  if (hours !== undefined) return Number(hours) * 3600 + Number(minutes) * 60 + Number(rest);
  const [, seconds] = /\b(?:after|in) (\d+(?:\.\d+)?) ?s(?:ec(?:ond)?s?)?\b/i.exec(message) ?? [];
  return seconds === undefined ? undefined : Math.ceil(Number(seconds));
}

function backOffMs(requestHeaders: Headers): number {
  const retries = Number(requestHeaders.get('x-stainless-retry-count'));
  return Math.min(FIRST_BACK_OFF_MS * 2 ** retries, MAX_BACK_OFF_MS);
}
