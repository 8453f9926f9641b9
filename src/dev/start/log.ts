/** The levels an app may log at, as `@azure/functions` names them. */
export type LogLevel = 'trace' | 'debug' | 'information' | 'warning' | 'error' | 'critical' | 'none';

/** Takes one entry: how grave, from where (`Functions.processImage`, `Host`), and what. */
export type Log = (level: LogLevel, source: string, text: string) => void;

const shown: Record<LogLevel, string> = {
  trace: 'trace',
  debug: 'debug',
  information: 'info ',
  warning: 'warn ',
  error: 'error',
  critical: 'fatal',
  none: 'info ',
};

/** Writes `[2026-11-21T06:14:00.000Z] info  Functions.processImage: text` to stdout. */
export const logToStdout: Log = (level, source, text) => {
  process.stdout.write(`[${new Date().toISOString()}] ${shown[level]} ${source}: ${text}\n`);
};
