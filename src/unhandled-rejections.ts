import { describeError } from './http/describe-error.ts';

/**
 * Logs unhandled rejections instead of letting them end the process. By default, Node throws each one as an uncaught
 * error. The language worker then exits, and all requests in progress are lost. Logging is safe: no request depends on
 * a promise that nothing awaits.
 *
 * Uncaught errors still end the process, because its state is unknown after one.
 */
export function surviveUnhandledRejections(): void {
  process.on('unhandledRejection', (reason) => {
    console.error(JSON.stringify({ code: 'unhandled_rejection', ...describeError(reason) }));
  });
}
