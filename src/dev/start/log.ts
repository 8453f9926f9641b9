/** The log levels of `@azure/functions`. */
export type LogLevel = 'trace' | 'debug' | 'information' | 'warning' | 'error' | 'critical' | 'none';

/** Writes one log entry: its level, its source (such as `Functions.processImage`), and its text. */
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

/** Writes an entry to stdout: `[2026-11-21T06:14:00.000Z] info  Functions.processImage: text`. */
export const logToStdout: Log = (level, source, text) => {
  process.stdout.write(`[${new Date().toISOString()}] ${shown[level]} ${source}: ${text}\n`);
};
