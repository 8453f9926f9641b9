import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';

/** What a process says on its standard streams is kept up to this length, for the case that it fails. */
const KEPT_OUTPUT = 4_000;
const LATE_MS = 5_000;

/** One side of the measurement in a process of its own. It says something once it is ready, and then answers each message with one. */
export class Child {
  readonly #process: ChildProcess;
  #output = '';

  /**
   * @param module - its path from this file
   * @param env - all of its environment but PATH, so that nothing of the machine's own comes in
   * @param options - for Node, and the folder that it runs in
   */
  constructor(
    module: string,
    args: readonly string[],
    env: Readonly<Record<string, string>>,
    options: { readonly execArgv?: string[]; readonly cwd?: string } = {},
  ) {
    this.#process = fork(fileURLToPath(new URL(module, import.meta.url)), args, {
      ...options,
      env: { PATH: process.env['PATH'], ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream
        ?.setEncoding('utf8')
        .on('data', (text: string) => (this.#output = (this.#output + text).slice(-KEPT_OUTPUT)));
    }
  }

  get output(): string {
    return this.#output;
  }

  get alive(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** Its next message, which the first is without being asked. */
  async next<T>(shape: v.GenericSchema<unknown, T>): Promise<T> {
    const gone = new AbortController();
    const ended = (): void => gone.abort(new Error(`A process of the benchmark ended:\n${this.#output}`));
    this.#process.once('exit', ended);
    try {
      const [message]: unknown[] = await once(this.#process, 'message', { signal: gone.signal });
      return v.parse(shape, message);
    } catch (error) {
      throw gone.signal.aborted ? gone.signal.reason : error;
    } finally {
      this.#process.off('exit', ended);
    }
  }

  async ask<T>(message: string, shape: v.GenericSchema<unknown, T>): Promise<T> {
    if (!this.alive) throw new Error(`A process of the benchmark has ended:\n${this.#output}`);
    const answer = this.next(shape);
    this.#process.send(message);
    return answer;
  }

  /** All processes of the benchmark end by themselves when they are left alone, so that none outlives it. */
  async stop(): Promise<void> {
    if (!this.alive) return;
    const exit = once(this.#process, 'exit');
    this.#process.disconnect();
    const late = setTimeout(() => this.#process.kill('SIGKILL'), LATE_MS);
    await exit;
    clearTimeout(late);
  }
}
