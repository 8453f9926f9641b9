import { readFileSync, writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import * as v from 'valibot';

const RESOLUTION_MS = 1;

/** What a load cost the process that it was put on. */
export const Cost = v.object({
  /** User and system time of all its threads. */
  cpuSeconds: v.number(),
  /** Bytes. */
  idleRss: v.number(),
  /** Bytes, at the highest since it was idle. */
  peakRss: v.number(),
  /** How long the event loop was held up at most. */
  longestBlockMs: v.number(),
  /** The main thread's own CPU time in one turn of the event loop, at most: on a busy machine others are in the way, too. */
  longestWorkMs: v.number(),
});
export type Cost = v.InferOutput<typeof Cost>;

/** Measures this process from {@link Meter.begin} to {@link Meter.read}, once; its memory from {@link Meter.idle} on. */
export class Meter {
  readonly #loop = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #cpu = process.cpuUsage();
  #idleRss = 0;
  #mainThread = 0;
  #longestWork = 0;

  idle(): void {
    this.#idleRss = process.memoryUsage.rss();
    resetPeakRss();
  }

  begin(): void {
    this.#mainThread = mainThreadMs();
    setInterval(() => this.#turn(), RESOLUTION_MS);
    this.#loop.enable();
    this.#cpu = process.cpuUsage();
  }

  read(): Cost {
    const { user, system } = process.cpuUsage(this.#cpu);
    return {
      cpuSeconds: (user + system) / 1e6,
      idleRss: this.#idleRss,
      peakRss: peakRss(),
      // The monitor's timer fires each millisecond, and says how much later it was than the last time.
      longestBlockMs: Math.max(0, this.#loop.max / 1e6 - RESOLUTION_MS),
      longestWorkMs: this.#longestWork,
    };
  }

  #turn(): void {
    const now = mainThreadMs();
    this.#longestWork = Math.max(this.#longestWork, now - this.#mainThread);
    this.#mainThread = now;
  }
}

function mainThreadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** Linux keeps a process's highest RSS and starts anew on demand; elsewhere it is that of its whole life. */
function resetPeakRss(): void {
  if (process.platform === 'linux') writeFileSync('/proc/self/clear_refs', '5');
}

function peakRss(): number {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS * 1024;
  return Number(/VmHWM:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024;
}
