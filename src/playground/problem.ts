import { number, text } from './member.ts';

/** What went wrong, in words for a person. */
export interface Problem {
  readonly title: string;
  readonly detail: string;
  /** What to quote in a report: code, request id. */
  readonly facts: string;
  /** The problem document, where there is one. */
  readonly document?: unknown;
  /** The image that it is about, counted from 1. */
  readonly image?: number | undefined;
  /** Whether the function key or the token is missing or wrong. */
  readonly wantsKey: boolean;
}

/** The service, or what stands before it, answered with something that is not an answer. */
export interface FailedResponse {
  readonly status: number;
  readonly body: string;
  readonly requestId: string | null;
  /** Seconds or a date, as the header has it. */
  readonly retryAfter: string | null;
}

/** Reads a response that tells of a problem, or fails to. */
export function problemOfResponse({ status, body, requestId, retryAfter }: FailedResponse): Problem {
  const document = parse(body);
  if (text(document, 'code')) return problemOfDocument(document, retryAfter);
  if (status === 401) return unauthorized();
  return {
    title: `The answer was an unexplained ${status}`,
    detail:
      'Something between this page and the app answered in its place, perhaps a proxy or a host that is starting. Try again in a moment.',
    facts: facts([`status ${status}`, requestId && `request ${requestId}`]),
    wantsKey: false,
  };
}

/** Reads the service's own problem document. */
export function problemOfDocument(document: unknown, retryAfter: string | null = null): Problem {
  const wait = retryAfter && /^\d+$/.test(retryAfter) ? ` Try again in ${retryAfter} s.` : '';
  const requestId = text(document, 'requestId');
  return {
    title: text(document, 'title') ?? 'Something went wrong',
    detail: (text(document, 'detail') ?? '') + wait,
    facts: facts([
      String(number(document, 'status') ?? ''),
      text(document, 'code'),
      requestId && `request ${requestId}`,
    ]),
    document,
    image: number(document, 'image'),
    wantsKey: text(document, 'code') === 'unauthenticated',
  };
}

/** The Functions host asks for its key itself, with an empty 401; so does a sign-in in front of it. */
function unauthorized(): Problem {
  return {
    title: 'A function key is needed',
    detail:
      'The key is missing or wrong. In the Azure portal it stands in the function app under "App keys"; put it into "Function key". Where people sign in instead, sign in and load this page again.',
    facts: 'status 401',
    wantsKey: true,
  };
}

/** There was no response. */
export function unreachable(): Problem {
  return {
    title: 'The app cannot be reached',
    detail:
      'The connection failed before an answer came. See whether the app is running and this machine is online, then ask again.',
    facts: '',
    wantsKey: false,
  };
}

/** The answer ended before it said that it was done. */
export function brokenOff(requestId: string | null): Problem {
  return {
    title: 'The answer broke off',
    detail: 'The connection ended in the middle of it. What had arrived is above; ask again for the whole.',
    facts: facts([requestId && `request ${requestId}`]),
    wantsKey: false,
  };
}

function facts(parts: readonly (string | null | undefined)[]): string {
  return parts.filter(Boolean).join(' · ');
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
