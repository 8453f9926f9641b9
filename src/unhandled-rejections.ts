/**
 * Keeps a promise that failed with nobody listening from ending the process, and with it every request in it: Node's
 * answer to one is an uncaught error, and the language worker's answer to that is to exit. What failed there had no
 * request waiting for it, so nothing is lost but the log line, which names the error and the place, not its words: those
 * may quote what the service was shown.
 *
 * Uncaught errors are left to the worker: after one of those, nobody knows what state the process is in.
 */
export function surviveUnhandledRejections(): void {
  process.on('unhandledRejection', (reason) => {
    console.error(JSON.stringify({ code: 'unhandled_rejection', ...describe(reason) }));
  });
}

function describe(reason: unknown): { error: string; at: string[] } {
  if (!(reason instanceof Error)) return { error: typeof reason, at: [] };
  const frames = reason.stack?.split('\n').filter((line) => /^\s+at /.test(line)) ?? [];
  return { error: reason.name, at: frames.map((line) => line.trim()) };
}
