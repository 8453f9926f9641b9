import type { App } from '../e2e/app.ts';
import { heldBytes, openDescriptors, residentBytes } from '../e2e/memory.ts';

const MEGABYTE = 1024 * 1024;

/** Memory and descriptors of a process at one time. */
export interface Vitals {
  readonly atMs: number;
  /** Bytes held after a garbage collection. */
  readonly held: number;
  /** Bytes in physical memory. */
  readonly resident: number;
  readonly descriptors: number;
}

/** Measures a process after a garbage collection. */
export async function takeVitals(app: App, atMs: number): Promise<Vitals> {
  const held = await heldBytes(app);
  return { atMs, held, resident: residentBytes(app).now, descriptors: openDescriptors(app) };
}

/** Describes vitals for people. */
export function describeVitals({ atMs, held, resident, descriptors }: Vitals): string {
  const time = `${Math.floor(atMs / 60_000)}:${String(Math.floor(atMs / 1000) % 60).padStart(2, '0')}`;
  return `${time.padStart(7)}  held ${megabytes(held)} MB  resident ${megabytes(resident)} MB  descriptors ${descriptors}`;
}

/** Formats bytes in megabytes, with one decimal. */
export function megabytes(bytes: number): string {
  return (bytes / MEGABYTE).toFixed(1);
}
