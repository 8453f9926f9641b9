import { Worker } from 'node:worker_threads';
import { Problem } from '../http/problem.ts';

/**
 * How long the thread may work on one check, in milliseconds of processor time. A busy machine does not make a good
 * schema a bad one.
 */
export const CHECK_MS = 250;
/** The same by the clock on the wall, for the caller who waits. */
const MAX_CHECK_MS = 10_000;
/** How long the thread may take to start. It has never been seen to take a tenth of that. */
const START_MS = 10_000;
/** How long a check may wait for others. Checks take a millisecond; only many that never end make such a queue. */
const MAX_WAIT_MS = 30_000;
/** Memory of the thread, in MB. The largest schema that is let in needs a fraction of it. */
const MAX_MEMORY_MB = 128;

/** What is wrong with a schema: where, and what. */
export interface SchemaFault {
  readonly field: string;
  readonly message: string;
}

/** Asks whether a schema can be used and, with an answer, whether that satisfies it. Both are JSON. */
export interface CheckRequest {
  readonly schema: string;
  readonly answer?: string | undefined;
}

/** What the thread found. */
export interface CheckResult {
  readonly faults?: readonly SchemaFault[];
  readonly satisfied?: boolean;
}

/**
 * Checks schemas in a thread, one after the other. The thread starts with the first check and is kept. A check that
 * takes too long ends it, and the next check starts another. The thread never keeps the process alive.
 */
export class SchemaChecker {
  #worker: Worker | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /**
   * @returns `stopped` if the check took more than {@link CHECK_MS} or too much memory
   * @throws {Problem} `overloaded` if it had to wait for others for too long
   */
  async check(schema: string, answer?: string): Promise<CheckResult | 'stopped'> {
    const asked = performance.now();
    const turn = this.#last.then(async () => {
      if (performance.now() - asked > MAX_WAIT_MS) {
        throw new Problem('overloaded', 'Too many schemas are waiting to be checked. Try again in a moment.');
      }
      return this.#run({ schema, answer });
    });
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #run(request: CheckRequest): Promise<CheckResult | 'stopped'> {
    const worker = (this.#worker ??= await this.#start());
    worker.ref();
    const over = new AbortController();
    const answer = reply<CheckResult>(worker, over.signal);
    worker.postMessage(request);
    try {
      return (await Promise.race([answer, workedTooLong(worker, over.signal)])) ?? 'stopped';
    } catch {
      return 'stopped'; // the thread ended by itself: it had no memory left
    } finally {
      over.abort();
      worker.unref();
    }
  }

  async #start(): Promise<Worker> {
    // In the bundle the thread's code is a file of its own.
    const name = import.meta.url.endsWith('.ts') ? './schema-worker.ts' : './schema-worker.js';
    const worker = new Worker(new URL(name, import.meta.url), {
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: MAX_MEMORY_MB },
    });
    // Whoever waits for its answer is told by `exit`. Without a listener an error would end the process.
    worker.on('error', () => undefined);
    worker.once('exit', () => (this.#worker = undefined));
    await reply(worker, AbortSignal.timeout(START_MS));
    return worker;
  }
}

/** The thread's next message. Rejects if the thread ends first, or if the signal is aborted. */
async function reply<T>(worker: Worker, signal: AbortSignal): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const ended = (): void => reject(new Error('the thread that checks schemas has ended'));
  const aborted = (): void => reject(new Error('the thread that checks schemas does not answer'));
  worker.once('message', resolve);
  worker.once('exit', ended);
  signal.addEventListener('abort', aborted, { once: true });
  try {
    return await promise;
  } finally {
    worker.removeListener('message', resolve);
    worker.removeListener('exit', ended);
    signal.removeEventListener('abort', aborted);
  }
}

/** Ends the thread when it has worked for {@link CHECK_MS}, unless the signal is aborted first. */
async function workedTooLong(worker: Worker, signal: AbortSignal): Promise<undefined> {
  const latest = performance.now() + MAX_CHECK_MS;
  const started = await processorMs(worker);
  for (let left = CHECK_MS; left > 0; left = CHECK_MS - ((await processorMs(worker)) - started)) {
    await new Promise((resolve) =>
      setTimeout(resolve, Math.max(1, Math.min(left, latest - performance.now()))).unref(),
    );
    if (signal.aborted) return undefined;
    if (performance.now() >= latest) break;
  }
  if (!signal.aborted) await worker.terminate();
  return undefined;
}

/** The processor time that a thread has used; the time itself on Node 22, which does not tell. */
async function processorMs(worker: Worker): Promise<number> {
  if (!('cpuUsage' in worker)) return performance.now();
  const { user, system } = await worker.cpuUsage();
  return (user + system) / 1000;
}
