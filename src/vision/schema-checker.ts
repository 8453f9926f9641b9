import { Worker } from 'node:worker_threads';
import { Problem } from '../http/problem.ts';

/**
 * How long the thread may work on one check, in milliseconds of processor time. Processor time does not depend on the
 * machine's load, so a busy machine does not fail a good schema.
 */
export const CHECK_MS = 250;
/** How long a check may take in elapsed milliseconds, because a caller waits for it. */
const MAX_CHECK_MS = 10_000;
/** How long the thread may take to start, in milliseconds. In measurements it took less than a tenth of that. */
const START_MS = 10_000;
/**
 * How long a check may wait for others, in milliseconds. A check takes about 1 ms, so only stuck ones cause such a
 * queue.
 */
const MAX_WAIT_MS = 30_000;
/** Heap limit of the thread, in MB. The largest schema that is accepted needs a fraction of it. */
const MAX_MEMORY_MB = 128;

/** A fault of a schema: the field it is in, and what is wrong. */
export interface SchemaFault {
  readonly field: string;
  readonly message: string;
}

/** Asks whether a schema is usable, and whether an answer satisfies it if there is an answer. Both are JSON. */
export interface CheckRequest {
  readonly schema: string;
  readonly answer?: string | undefined;
}

/** What the thread found: faults of the schema, or whether the answer satisfies it. */
export interface CheckResult {
  readonly faults?: readonly SchemaFault[];
  readonly satisfied?: boolean;
}

/**
 * Checks schemas in a worker thread, one after the other. The thread starts at the first check and is then reused. A
 * check that takes too long ends the thread, and the next check starts a new one. An idle thread does not keep the
 * process alive.
 */
export class SchemaChecker {
  #worker: Worker | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /**
   * Checks a schema, and an answer if there is one. Both are JSON.
   * @returns the result, or `stopped` if the check took more than {@link CHECK_MS} or too much memory
   * @throws {Problem} `overloaded` if it waited too long for other checks
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
      return 'stopped'; // the thread ended by itself, because it ran out of memory
    } finally {
      over.abort();
      worker.unref();
    }
  }

  async #start(): Promise<Worker> {
    // In the bundle, the thread's code is a separate JavaScript file.
    const name = import.meta.url.endsWith('.ts') ? './schema-worker.ts' : './schema-worker.js';
    const worker = new Worker(new URL(name, import.meta.url), {
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: MAX_MEMORY_MB },
    });
    // The 'exit' event rejects the pending check. Without this listener, an error would end the process.
    worker.on('error', () => undefined);
    worker.once('exit', () => (this.#worker = undefined));
    await reply(worker, AbortSignal.timeout(START_MS));
    return worker;
  }
}

/** Resolves with the thread's next message. Rejects if the thread ends first, or if the signal is aborted. */
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

/**
 * Ends the thread once it has worked for {@link CHECK_MS}, or run for {@link MAX_CHECK_MS}, unless the signal is
 * aborted first.
 */
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

/**
 * Returns the processor time that a thread has used, in milliseconds. Node 22 does not report it, so it returns the
 * clock.
 */
async function processorMs(worker: Worker): Promise<number> {
  if (!('cpuUsage' in worker)) return performance.now();
  const { user, system } = await worker.cpuUsage();
  return (user + system) / 1000;
}
