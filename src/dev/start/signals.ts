/** One Ctrl-C comes twice where npm runs the script: from the terminal, and passed on by npm. */
const SAME_CTRL_C_MS = 500;

/** Aborts with the first Ctrl-C or SIGTERM. A second one ends the process at once. */
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
