const LINE_OF_REQUEST = /"requestId":"([^"]+)","status":\d/g;
const SURPRISE = /failed unexpectedly|unhandled_rejection/;

/** What a log has against the contract, in words: each answered request is to have one line, and nothing a surprise. */
export function misloggedIn(log: string, answered: Iterable<string>): string[] {
  const lines = new Map<string, number>();
  for (const [, id = ''] of log.matchAll(LINE_OF_REQUEST)) lines.set(id, (lines.get(id) ?? 0) + 1);
  const wrong = [...answered].filter((id) => lines.get(id) !== 1);
  return [
    ...wrong.map((id) => `The log has ${lines.get(id) ?? 0} lines for request ${id}.`),
    ...(SURPRISE.test(log) ? ['The log tells of something unexpected.'] : []),
  ];
}
