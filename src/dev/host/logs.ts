import type { Log, LogLevel } from '../start/log.ts';
import type { CoreInvocation } from './registry.ts';

const silent = new Set<LogLevel>(['trace', 'debug', 'none']);
const grave = new Set<LogLevel>(['warning', 'error', 'critical']);

/**
 * What becomes of the entries the library passes on: the app's own from `information` up, as host.json's
 * default is, and the library's own from `warning` up.
 */
export function logFrom(source: string, log: Log): CoreInvocation['log'] {
  return (level, category, message) => {
    if (category === 'user' ? !silent.has(level) : grave.has(level)) log(level, source, message);
  };
}
