/**
 * Milliseconds in which a second Ctrl-C counts as the same. Under npm, one Ctrl-C arrives twice: npm forwards it, too.
 */
const SAME_CTRL_C_MS = 500;

/** Returns a signal that is aborted at the first Ctrl-C or SIGTERM. A second one ends the process at once. */
export function stopOnSignals(): AbortSignal {
  const stopping = new AbortController();
  let since: number | undefined;
  const stop = (): void => {
    if (since === undefined) {
      since = performance.now();
      stopping.abort();
    } else if (performance.now() - since > SAME_CTRL_C_MS) process.exit(130);
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return stopping.signal;
}
