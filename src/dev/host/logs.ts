import type { Log, LogLevel } from '../start/log.ts';
import type { CoreInvocation } from './registry.ts';

const silent = new Set<LogLevel>(['trace', 'debug', 'none']);
const grave = new Set<LogLevel>(['warning', 'error', 'critical']);

/**
 * Creates the function that logs the library's entries. It keeps the app's own from level `information` up, which is
 * the default of host.json, and the library's from level `warning` up.
 */
export function logFrom(source: string, log: Log): CoreInvocation['log'] {
  return (level, category, message) => {
    if (category === 'user' ? !silent.has(level) : grave.has(level)) log(level, source, message);
  };
}
