const LINE_OF_REQUEST = /"requestId":"([^"]+)","status":\d/g;
const UNEXPECTED_ERROR = /failed unexpectedly|unhandled_rejection/;

/** Describes what is wrong with a log. It must have one line for each answered request, and no unexpected error. */
export function logFaults(log: string, answered: Iterable<string>): string[] {
  const lines = new Map<string, number>();
  for (const [, id = ''] of log.matchAll(LINE_OF_REQUEST)) lines.set(id, (lines.get(id) ?? 0) + 1);
  const wrong = [...answered].filter((id) => lines.get(id) !== 1);
  return [
    ...wrong.map((id) => `The log has ${lines.get(id) ?? 0} lines for request ${id}.`),
    ...(UNEXPECTED_ERROR.test(log) ? ['The log has an unexpected error.'] : []),
  ];
}
