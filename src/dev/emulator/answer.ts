/** What an endpoint answers, before any fault has its way with it. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
  /** The body in the pieces in which it is sent: one, or an event each. */
  body: string[];
}

/** An answer that is one JSON document. */
export function jsonAnswer(status: number, body: unknown): Answer {
  return { status, headers: { 'content-type': 'application/json' }, body: [JSON.stringify(body)] };
}
