/** A server-sent event whose data is JSON. */
export interface SentEvent {
  readonly event: string;
  readonly data: Record<string, unknown>;
}

/** Parses a complete stream of events. Ignores comments. */
export function readEvents(text: string): SentEvent[] {
  return text.split('\n\n').flatMap((block) => {
    const data = /^data: (.*)$/m.exec(block)?.[1];
    if (data === undefined) return [];
    return [
      { event: /^event: (.*)$/m.exec(block)?.[1] ?? 'message', data: JSON.parse(data) as Record<string, unknown> },
    ];
  });
}
