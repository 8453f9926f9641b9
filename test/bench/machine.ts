import { availableParallelism, loadavg, totalmem } from 'node:os';

/** A machine in general terms. */
export interface Machine {
  /** When it was, as 2026-11-26. */
  readonly day: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly node: string;
  readonly system: string;
  /** How many processes wanted to run in the minute before: well below 1 is quiet. */
  readonly loadBefore: number;
}

/** This machine, as it is before a run. */
export function describeMachine(): Machine {
  return {
    day: new Date().toISOString().slice(0, 10),
    cores: availableParallelism(),
    memoryGb: Math.round(Math.min(process.constrainedMemory() || Infinity, totalmem()) / 1024 ** 3),
    node: process.versions.node,
    system: `${process.platform} ${process.arch}`,
    loadBefore: Math.round((loadavg()[0] ?? 0) * 10) / 10,
  };
}
