import type { App } from '../e2e/app.ts';
import { heldBytes, openDescriptors, residentBytes } from '../e2e/memory.ts';

const MEGABYTE = 1024 * 1024;

/** How a process is doing. */
export interface Vitals {
  readonly atMs: number;
  /** Bytes held when all garbage is gone. */
  readonly held: number;
  readonly resident: number;
  readonly descriptors: number;
}

/** Takes a process's vitals; what is garbage is collected first. */
export async function takeVitals(app: App, atMs: number): Promise<Vitals> {
  const held = await heldBytes(app);
  return { atMs, held, resident: residentBytes(app).now, descriptors: openDescriptors(app) };
}

/** For a person to read. */
export function describeVitals({ atMs, held, resident, descriptors }: Vitals): string {
  const time = `${Math.floor(atMs / 60_000)}:${String(Math.floor(atMs / 1000) % 60).padStart(2, '0')}`;
  return `${time.padStart(7)}  held ${megabytes(held)} MB  resident ${megabytes(resident)} MB  descriptors ${descriptors}`;
}

/** Bytes in megabytes, to a tenth. */
export function megabytes(bytes: number): string {
  return (bytes / MEGABYTE).toFixed(1);
}
