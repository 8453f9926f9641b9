import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { App } from './app.ts';

/** A small instance's heap: on a large machine V8 takes its time to collect, and what a process takes there says little. */
const HEAP = '--max-old-space-size=512';

/** The environment of an app that can be asked what it holds. */
export const PROBE = { NODE_OPTIONS: `--import=${new URL('memory-probe.ts', import.meta.url).href} ${HEAP}` };

/**
 * Bytes that an app holds on to when all garbage is gone: its heap, and buffers outside of it.
 * @throws {Error} where the app has ended
 */
export async function heldBytes(app: App): Promise<number> {
  const from = app.output().length;
  process.kill(app.pid, 'SIGUSR2');
  while (app.alive()) {
    const told = /^holds (\d+) bytes$/m.exec(app.output().slice(from))?.[1];
    if (told !== undefined) return Number(told);
    await sleep(10);
  }
  throw new Error('the app ended before it told what it holds');
}

/** Bytes of a process that are in memory: now, and at the most so far. Linux only. */
export function residentBytes({ pid }: App): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kilobytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
  return { now: kilobytes('VmRSS') * 1024, peak: kilobytes('VmHWM') * 1024 };
}

/** Open files and sockets of a process. Linux only. */
export function openDescriptors({ pid }: App): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}
