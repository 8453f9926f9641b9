import { describeError } from './http/describe-error.ts';

/**
 * Logs an unhandled rejection instead of letting it end the process. By default Node throws it as an uncaught error, at
 * which the language worker exits with every request in it. No request waits for a promise that nobody listens to.
 *
 * Uncaught errors still end the process: after one, its state is unknown.
 */
export function surviveUnhandledRejections(): void {
  process.on('unhandledRejection', (reason) => {
    console.error(JSON.stringify({ code: 'unhandled_rejection', ...describeError(reason) }));
  });
}
