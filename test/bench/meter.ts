import { readFileSync, writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import * as v from 'valibot';

/** Period of the timers that watch the event loop. */
const RESOLUTION_MS = 1;

/** What a load cost the process that served it. */
export const Cost = v.object({
  /** User and system CPU time of all its threads. */
  cpuSeconds: v.number(),
  /** RSS in bytes when it was idle. */
  idleRss: v.number(),
  /** Highest RSS in bytes since then. Outside Linux: since the process started. */
  peakRss: v.number(),
  /** Longest delay of the event loop. On a busy machine, it includes time in which other processes had the core. */
  longestBlockMs: v.number(),
  /** Highest CPU time of the main thread in one turn of the event loop. Other processes do not count. */
  longestWorkMs: v.number(),
});
export type Cost = v.InferOutput<typeof Cost>;

/** Measures this process once, from {@link Meter.begin} to {@link Meter.read}; its memory from {@link Meter.idle}. */
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
      // The monitor's timer fires every millisecond, and records the nanoseconds since it last fired.
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

/** Linux can reset the highest RSS of a process. Other systems cannot, and keep it from the start of the process. */
function resetPeakRss(): void {
  if (process.platform === 'linux') writeFileSync('/proc/self/clear_refs', '5');
}

function peakRss(): number {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS * 1024;
  return Number(/VmHWM:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024;
}
