import { number, text } from './member.ts';

/** A problem as the page shows it. */
export interface Problem {
  readonly title: string;
  readonly detail: string;
  /** What to quote in a report: status, code and request id. */
  readonly facts: string;
  /** The problem document, if the app sent one. */
  readonly document?: unknown;
  /** Which image the problem is about, counted from 1. */
  readonly image?: number | undefined;
  /** Whether the function key or the token is missing or wrong. */
  readonly wantsKey: boolean;
}

/** A response of the app, or of something in front of it, that is not an answer. */
export interface FailedResponse {
  readonly status: number;
  readonly body: string;
  readonly requestId: string | null;
  /** The header's value: seconds or a date. */
  readonly retryAfter: string | null;
}

/** Makes a problem from a failed response, which may have a problem document or not. */
export function problemOfResponse({ status, body, requestId, retryAfter }: FailedResponse): Problem {
  const document = parse(body);
  if (text(document, 'code')) return problemOfDocument(document, retryAfter);
  if (status === 401) return unauthorized();
  return {
    title: `The app did not answer: status ${status}`,
    detail:
      'Something in front of the app sent this response, perhaps a proxy or a host that is starting. Try again ' +
      'in a moment.',
    facts: facts([`status ${status}`, requestId && `request ${requestId}`]),
    wantsKey: false,
  };
}

/** Makes a problem from the app's own problem document. */
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

/** The problem for a 401 without a document. It comes from the Functions host, or from a sign-in in front of it. */
function unauthorized(): Problem {
  return {
    title: 'A function key is needed',
    detail:
      'The key is missing or wrong. You find it in the Azure portal, in the function app under "App keys". ' +
      'Enter it under "Function key". If this app uses sign-in instead, sign in and reload this page.',
    facts: 'status 401',
    wantsKey: true,
  };
}

/** The problem if there was no response. */
export function unreachable(): Problem {
  return {
    title: 'The app cannot be reached',
    detail:
      'The connection failed before an answer came. Check that the app is running and this machine is online, ' +
      'then ask again.',
    facts: '',
    wantsKey: false,
  };
}

/** The problem if the answer ended without its last event. */
export function brokenOff(requestId: string | null): Problem {
  return {
    title: 'The answer broke off',
    detail:
      'The connection ended in the middle of the answer. You see the part that arrived. Ask again for a ' +
      'complete answer.',
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
