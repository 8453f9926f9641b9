import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { App } from './app.ts';

/** The heap of a small instance. In a larger heap, V8 collects garbage late, and its size says little. */
const HEAP = '--max-old-space-size=512';

/** The environment of an app that `heldBytes` can measure. */
export const PROBE = { NODE_OPTIONS: `--import=${new URL('memory-probe.ts', import.meta.url).href} ${HEAP}` };

/**
 * Returns how many bytes an app still uses after garbage collection: in its heap, and in buffers outside of it.
 * @throws {Error} if the app has ended
 */
export async function heldBytes(app: App): Promise<number> {
  const from = app.output().length;
  process.kill(app.pid, 'SIGUSR2');
  while (app.alive()) {
    const bytes = /^holds (\d+) bytes$/m.exec(app.output().slice(from))?.[1];
    if (bytes !== undefined) return Number(bytes);
    await sleep(10);
  }
  throw new Error('the app ended before it printed how much memory it uses');
}

/** Returns the resident memory of a process in bytes: the current size, and the peak. Linux only. */
export function residentBytes({ pid }: App): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kilobytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
  return { now: kilobytes('VmRSS') * 1024, peak: kilobytes('VmHWM') * 1024 };
}

/** Counts the open files and sockets of a process. Linux only. */
export function openDescriptors({ pid }: App): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}
