import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';

/** Number of characters of a process's output to keep for error messages. */
const KEPT_OUTPUT = 4_000;
/** A process that has not ended by itself after this time is killed. */
const KILL_AFTER_MS = 5_000;

/** A process that the benchmark starts. It sends a message when it is ready, and then answers each message with one. */
export class Child {
  readonly #process: ChildProcess;
  #output = '';

  /**
   * @param module - the path of its module, relative to this file
   * @param env - its whole environment except PATH, so that settings of the machine have no effect
   * @param options - options for Node, and the folder to run in
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

  /** The end of its stdout and stderr. */
  get output(): string {
    return this.#output;
  }

  get alive(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** Waits for its next message. The first one comes without a question. */
  async next<T>(shape: v.GenericSchema<unknown, T>): Promise<T> {
    const exited = new AbortController();
    const onExit = (): void => exited.abort(new Error(`A process of the benchmark ended:\n${this.#output}`));
    this.#process.once('exit', onExit);
    try {
      const [message]: unknown[] = await once(this.#process, 'message', { signal: exited.signal });
      return v.parse(shape, message);
    } catch (error) {
      throw exited.signal.aborted ? exited.signal.reason : error;
    } finally {
      this.#process.off('exit', onExit);
    }
  }

  /** Sends a message, and waits for the answer. */
  async ask<T>(message: string, shape: v.GenericSchema<unknown, T>): Promise<T> {
    if (!this.alive) throw new Error(`A process of the benchmark has ended:\n${this.#output}`);
    const answer = this.next(shape);
    this.#process.send(message);
    return answer;
  }

  /** Disconnects from it. Each process exits then, so none outlives the benchmark, even if the benchmark crashes. */
  async stop(): Promise<void> {
    if (!this.alive) return;
    const exit = once(this.#process, 'exit');
    this.#process.disconnect();
    const killTimer = setTimeout(() => this.#process.kill('SIGKILL'), KILL_AFTER_MS);
    await exit;
    clearTimeout(killTimer);
  }
}
