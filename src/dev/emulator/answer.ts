/** The answer of an endpoint, before a fault changes it. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
  /** The pieces of the body, which are sent one by one: a single piece, or one for each event. */
  body: string[];
}

/** Creates an answer with a JSON body. */
export function jsonAnswer(status: number, body: unknown): Answer {
  return { status, headers: { 'content-type': 'application/json' }, body: [JSON.stringify(body)] };
}
